import { afterEach, describe, expect, it } from "vitest";
import { known, listed, press, register, wordOf } from "@/shared/keys";

const ways: (() => void)[] = [];
const add = (...commands: Parameters<typeof register>) => ways.push(register(...commands));
afterEach(() => {
  for (const way of ways.splice(0)) way();
  document.body.replaceChildren();
});

let at = 0;
/** A key press on `target`, a second after the one before unless told. */
function type(key: string, more: KeyboardEventInit & { after?: number; target?: HTMLElement } = {}) {
  at += more.after ?? 100;
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
  Object.defineProperty(event, "target", { value: more.target ?? document.body });
  return press(event, at);
}

describe("the key register", () => {
  it("knows a command by its keys while it is registered", () => {
    let ran = 0;
    const way = register({ keys: "e", run: () => ran++ });
    expect(type("e")).toBe(true);
    way();
    expect(type("e")).toBe(false);
    expect(ran).toBe(1);
  });

  it("is silent in text fields, except for commands that ask for it", () => {
    const ran: string[] = [];
    add({ keys: "e", run: () => ran.push("e") }, { keys: "mod+Enter", inFields: true, run: () => ran.push("send") });
    const field = document.createElement("textarea");
    type("e", { target: field });
    type("Enter", { target: field, ctrlKey: true });
    expect(ran).toEqual(["send"]);
  });

  it("understands two keys in a row, in time, and prefers them to the single one", () => {
    const ran: string[] = [];
    add({ keys: "i", run: () => ran.push("i") }, { keys: "g i", run: () => ran.push("inbox") });
    type("g");
    type("i");
    type("g");
    type("i", { after: 5000 });
    expect(ran).toEqual(["inbox", "i"]);
  });

  it("lets the newest win and skips what is switched off", () => {
    const ran: string[] = [];
    add({ keys: "Escape", run: () => ran.push("below") });
    add({ keys: "Escape", when: () => false, run: () => ran.push("off") });
    type("Escape");
    add({ keys: "Escape", run: () => ran.push("above") });
    type("Escape");
    expect(ran).toEqual(["below", "above"]);
  });

  it("leaves an input method alone", () => {
    let ran = 0;
    add({ keys: "e", run: () => ran++ });
    type("e", { isComposing: true });
    expect(ran).toBe(0);
  });

  it("names keys the same on every keyboard", () => {
    const word = (key: string, more: Partial<KeyboardEvent> = {}) =>
      wordOf({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more });
    expect(word("K", { ctrlKey: true })).toBe("mod+k");
    expect(word("k", { metaKey: true })).toBe("mod+k");
    expect(word("?", { shiftKey: true })).toBe("?");
    expect(word("X", { shiftKey: true })).toBe("shift+x");
    expect(word("Tab", { shiftKey: true })).toBe("shift+Tab");
  });

  it("lists each command that has words once", () => {
    add({ keys: "z", says: () => "below", run: () => undefined }, { keys: "q", run: () => undefined });
    add({ keys: "z", says: () => "above", run: () => undefined });
    expect(listed().map((command) => command.says?.())).toEqual(["above"]);
    for (const way of ways.splice(0)) way();
    expect(listed()).toEqual([]);
    expect(
      known()
        .filter((command) => command.keys === "z")
        .map((command) => command.says?.()),
    ).toEqual(["above"]);
  });
});
