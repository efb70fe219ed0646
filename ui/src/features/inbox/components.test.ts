/** The parts of the inbox that could do harm: what strangers wrote, what the owner sends, rows under the pointer. */
import { cleanup, fireEvent, render } from "@testing-library/svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Backend } from "@/backend/backend";

vi.mock("@/backend/connect", async () => {
  const { fakeBackend } = await import("../../../tests/fake/connect");
  return { connect: () => fakeBackend("?scene=full") };
});

import { backend } from "@/backend";
import { app, refreshStatus } from "@/shared/state/app.svelte";
import Composer from "./composer/Composer.svelte";
import { DAY, HOUR, message, row } from "./pure/fixtures";
import { send, sendable, undoSend } from "./state/actions";
import { saveDraft, typed } from "./state/drafts";
import { followProfile } from "./state/forget";
import { list } from "./state/list.svelte";
import { forgetThreads, threadOf } from "./state/threads.svelte";
import { offer, undoLast } from "./state/undo";
import Words from "./thread/Words.svelte";

const HANNAH = 504;
const settled = () => vi.waitFor(() => expect(threadOf(HANNAH).head).not.toBeNull());

beforeEach(async () => {
  await refreshStatus();
  await vi.waitFor(() => expect(app.settings).not.toBeNull());
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  forgetThreads();
});

describe("words of strangers", () => {
  it("are text, whatever they look like", () => {
    const text = '<img src=x onerror="alert(1)"><b>fett</b> javascript:alert(1)';
    const { container } = render(Words, { text });
    expect(container.textContent).toBe(text);
    expect(container.querySelectorAll("img, b, a, script")).toHaveLength(0);
  });

  it("open links in the system's browser and never follow them here", async () => {
    const open = vi.spyOn(backend.native, "openBrowser").mockResolvedValue();
    const { container } = render(Words, { text: "schau https://example.org/x" });
    const link = container.querySelector("a");
    const pressed = new MouseEvent("click", { bubbles: true, cancelable: true });
    link?.dispatchEvent(pressed);
    expect(pressed.defaultPrevented).toBe(true);
    expect(open).toHaveBeenCalledWith("https://example.org/x");
  });
});

describe("an answer", () => {
  it("shows before the core has it, under one key, and empties the field", async () => {
    const thread = threadOf(HANNAH);
    await thread.refresh();
    await settled();
    typed(thread, "Yes, it is.  ");
    const call = vi.spyOn(backend, "call");
    const sent = send(thread);
    expect(thread.draft).toBe("");
    expect(thread.pending).toHaveLength(1);
    expect(thread.items.at(-1)).toMatchObject({ message: { text: "Yes, it is.", state: "scheduled" } });
    await sent;
    expect(thread.pending).toHaveLength(0);
    const asked = call.mock.calls.filter(([name]) => name === "message_send");
    expect(asked).toHaveLength(1);
    expect(asked[0]?.[1]).toMatchObject({ text: "Yes, it is.", key: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  });

  it("comes back into the field when the core refuses it", async () => {
    const thread = threadOf(HANNAH);
    await thread.refresh();
    typed(thread, "Zu spät");
    refuse("message_send", { code: "window_closed", message: "closed" });
    expect(await send(thread)).toBe(false);
    expect(thread.draft).toBe("Zu spät");
    expect(thread.pending).toHaveLength(0);
    expect(thread.refused?.code).toBe("window_closed");
  });

  it("can be taken back while it is held, and its words return once", async () => {
    const thread = threadOf(HANNAH);
    await thread.refresh();
    typed(thread, "Moment");
    await send(thread);
    const held = thread.stretch?.messages.find((one) => one.text === "Moment");
    if (held === undefined) throw new Error("the message is not in the thread");
    await undoSend(thread, held);
    await thread.refresh();
    expect(thread.draft).toBe("Moment");
    expect(thread.items.some((item) => item.kind === "message" && item.message.text === "Moment")).toBe(false);
  });

  it("is not sent blank, too long, or into a locked conversation", async () => {
    const thread = threadOf(HANNAH);
    await thread.refresh();
    typed(thread, "  \n ");
    expect(sendable(thread)).toBe(false);
    typed(thread, "ä".repeat(501));
    expect(sendable(thread)).toBe(false);
    typed(thread, "ä".repeat(500));
    expect(sendable(thread)).toBe(true);
    if (thread.head) {
      const window = { ...thread.head.row.window, lock: { code: "paused", params: {} } };
      thread.head = { ...thread.head, row: { ...thread.head.row, window } };
    }
    expect(sendable(thread)).toBe(false);
  });

  it("is sent by Ctrl Enter only; Enter writes a line", async () => {
    const thread = threadOf(HANNAH);
    await thread.refresh();
    typed(thread, "Gern");
    const { getByRole } = render(Composer, { thread, ondone: () => {}, onleave: () => {} });
    const call = vi.spyOn(backend, "call");
    await fireEvent.keyDown(getByRole("textbox"), { key: "Enter" });
    expect(call).not.toHaveBeenCalledWith("message_send", expect.anything());
    await fireEvent.keyDown(getByRole("textbox"), { key: "Enter", ctrlKey: true });
    expect(call).toHaveBeenCalledWith("message_send", expect.objectContaining({ text: "Gern" }));
  });
});

describe("a draft", () => {
  it("is saved when the owner turns away, and only when it changed", async () => {
    const thread = threadOf(HANNAH);
    await thread.refresh();
    const call = vi.spyOn(backend, "call");
    await saveDraft(thread);
    typed(thread, "halb fertig");
    await saveDraft(thread);
    await saveDraft(thread);
    const saved = call.mock.calls.filter(([name]) => name === "draft_set");
    expect(saved.map(([, argument]) => argument)).toEqual([{ id: HANNAH, text: "halb fertig" }]);
  });
});

describe("the list", () => {
  it("holds its order while the pointer moves over it, and renews the rows in place", async () => {
    const answers = [
      [row(1), row(2)],
      [row(2, { unread: 2 }), row(1)],
    ];
    vi.spyOn(backend, "call").mockImplementation((async (name: string) =>
      name === "conversations_list" ? { rows: answers.shift() ?? [], next: null } : {}) as Backend["call"]);
    list.open("all", null);
    await vi.waitFor(() => expect(list.rows).toHaveLength(2));
    list.pointerMoved();
    list.retry();
    await vi.waitFor(() => expect(list.rows[1]?.unread).toBe(2));
    expect(list.rows.map((one) => one.id)).toEqual([1, 2]);
    list.pointerLeft();
    expect(list.rows.map((one) => one.id)).toEqual([2, 1]);
  });
});

describe("undo", () => {
  it("takes back the newest that still can be, once", async () => {
    const done: string[] = [];
    const entry = (says: string, until: number | null) => ({
      says,
      until,
      note: false,
      run: () => void done.push(says),
    });
    offer(entry("old", null));
    offer(entry("over", HOUR));
    offer(entry("new", DAY));
    await undoLast(2 * HOUR);
    await undoLast(2 * HOUR);
    await undoLast(2 * HOUR);
    expect(done).toEqual(["new", "old"]);
  });
});

it("forgets the old profile's threads, drafts and undo when another one opens", async () => {
  let undone = false;
  followProfile("main");
  const thread = threadOf(HANNAH);
  await thread.refresh();
  typed(thread, "für den alten Laden");
  const undo = () => {
    undone = true;
  };
  offer({ says: "x", until: null, note: false, run: undo });
  const call = vi.spyOn(backend, "call");
  followProfile("sample");
  await saveDraft(thread);
  await undoLast(0);
  expect(undone).toBe(false);
  expect(call).not.toHaveBeenCalledWith("draft_set", expect.anything());
  expect(threadOf(HANNAH)).not.toBe(thread);
});

it("never shows a cancelled message", () => {
  const thread = threadOf(1);
  thread.stretch = {
    messages: [message(1, { state: "cancelled", author: "you" })],
    moreBefore: false,
    moreAfter: false,
  };
  expect(thread.items).toEqual([]);
});

function refuse(name: string, error: { code: string; message: string }) {
  const real = backend.call.bind(backend);
  vi.spyOn(backend, "call").mockImplementation(((asked: never, argument: never) =>
    asked === name ? Promise.reject(error) : real(asked, argument)) as Backend["call"]);
}
