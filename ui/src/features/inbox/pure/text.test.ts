import { describe, expect, it } from "vitest";
import { counter, textLength } from "./limit";
import { markPieces, onlyEmoji, openable, textPieces } from "./text";

describe("length in the platform's unit", () => {
  it("counts UTF-8 bytes for Instagram and characters for Messenger", () => {
    expect(textLength("Grüße", "bytes")).toBe(7);
    expect(textLength("Grüße", "characters")).toBe(5);
    expect(textLength("👍🏽", "bytes")).toBe(8);
    expect(textLength("👍🏽", "characters")).toBe(2);
    expect(textLength("مرحبا", "bytes")).toBe(10);
  });

  it("warns near the limit and says by how much it is over", () => {
    const limit = { unit: "bytes", max: 10 };
    expect(counter("1234567", limit)).toMatchObject({ used: 7, state: "calm" });
    expect(counter("12345678", limit)).toMatchObject({ used: 8, state: "near", over: 0 });
    expect(counter("ÄÄÄÄÄÄ", limit)).toMatchObject({ used: 12, state: "over", over: 2 });
    expect(counter("1234567   \n", limit)).toMatchObject({ used: 7, over: 0 });
  });
});

describe("textPieces", () => {
  it("finds links and gives the text back whole", () => {
    const text = "See https://example.org/a?b=1#c, or (www.example.com/x_(y)). Bye";
    const pieces = textPieces(text);
    expect(pieces.map((piece) => piece.text).join("")).toBe(text);
    expect(pieces.filter((piece) => piece.kind === "link")).toEqual([
      { kind: "link", text: "https://example.org/a?b=1#c", href: "https://example.org/a?b=1#c" },
      { kind: "link", text: "www.example.com/x_(y)", href: "https://www.example.com/x_(y)" },
    ]);
  });

  it("makes no link of anything that is not plain http", () => {
    for (const text of [
      "javascript:alert(1)",
      "<img src=x onerror=alert(1)>",
      "data:text/html,x",
      "file:///etc/passwd",
      "https://",
    ]) {
      expect(textPieces(text)).toEqual([{ kind: "text", text }]);
    }
    expect(openable("https://bank.example@evil.example/")).toBeNull();
    expect(openable("javascript:alert(1)")).toBeNull();
    expect(openable("www.example.com")).toBe("https://www.example.com/");
  });

  it("keeps blanks and lines", () => {
    expect(textPieces("a\n\n  b ")).toEqual([{ kind: "text", text: "a\n\n  b " }]);
    expect(textPieces("")).toEqual([]);
  });
});

describe("markPieces", () => {
  const shape = (text: string, marks: [number, number][]) =>
    markPieces(text, marks)
      .map((piece) => (piece.marked ? `[${piece.text}]` : piece.text))
      .join("");

  it("cuts at UTF-16 offsets", () => {
    expect(
      shape("🎂 Torte am Samstag", [
        [3, 8],
        [12, 15],
      ]),
    ).toBe("🎂 [Torte] am [Sam]stag");
  });

  it("mends marks that overlap, are out of order or out of range", () => {
    expect(
      shape("Torte", [
        [3, 99],
        [0, 4],
        [2, 2],
        [9, 12],
      ]),
    ).toBe("[Tort][e]");
    expect(shape("Torte", [])).toBe("Torte");
  });
});

it("knows a message of a few emoji", () => {
  expect(onlyEmoji("😍🎂")).toBe(true);
  expect(onlyEmoji("👩‍👩‍👧 🇩🇪")).toBe(true);
  expect(onlyEmoji("12")).toBe(false);
  expect(onlyEmoji("ok 👍")).toBe(false);
  expect(onlyEmoji("")).toBe(false);
});
