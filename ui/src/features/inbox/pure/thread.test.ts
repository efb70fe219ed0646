import { describe, expect, it } from "vitest";
import { DAY, HOUR, MIN, message, NOW } from "./fixtures";
import { firstUnread, layout, quotable, receipt } from "./thread";

const open = { delivered_until_ms: null, read_until_ms: null };
const shape = (items: ReturnType<typeof layout>) =>
  items.map((item) =>
    item.kind === "message" ? `${item.message.id}${item.same ? " same" : ""}${item.foot ? " foot" : ""}` : item.kind,
  );

describe("layout", () => {
  it("groups one author within two minutes and gives the group one foot", () => {
    const items = layout(
      [
        message(1, { sent_at_ms: NOW }),
        message(2, { sent_at_ms: NOW + 2 * MIN }),
        message(3, { sent_at_ms: NOW + 5 * MIN }),
        message(4, { sent_at_ms: NOW + 5 * MIN, author: "phone" }),
        message(5, { sent_at_ms: NOW + 5 * MIN, author: "you" }),
      ],
      open,
      null,
    );
    expect(shape(items)).toEqual(["day", "1", "2 same foot", "3 foot", "4 foot", "5 foot"]);
  });

  it("draws a day line for each day, and never groups over midnight", () => {
    const midnight = new Date(2026, 4, 21).getTime();
    const items = layout(
      [message(1, { sent_at_ms: midnight - 30_000 }), message(2, { sent_at_ms: midnight + 30_000 })],
      open,
      null,
    );
    expect(shape(items)).toEqual(["day", "1 foot", "day", "2 foot"]);
  });

  it("puts the New line before the first unread and starts a group there", () => {
    const items = layout([message(1, { sent_at_ms: NOW }), message(2, { sent_at_ms: NOW + MIN })], open, 2);
    expect(shape(items)).toEqual(["day", "1 foot", "new", "2 foot"]);
  });

  it("leaves out what the owner undid", () => {
    const items = layout(
      [message(1, { sent_at_ms: NOW }), message(2, { sent_at_ms: NOW, author: "you", state: "cancelled" })],
      open,
      null,
    );
    expect(shape(items)).toEqual(["day", "1 foot"]);
  });

  it("gives a failed message its own foot inside a group", () => {
    const items = layout(
      [
        message(1, { sent_at_ms: NOW, author: "you", state: "failed" }),
        message(2, { sent_at_ms: NOW, author: "you", state: "sent" }),
      ],
      open,
      null,
    );
    expect(shape(items)).toEqual(["day", "1 foot", "2 same foot"]);
  });
});

describe("receipt", () => {
  it("applies the watermarks to what left, and to nothing else", () => {
    const marks = { delivered_until_ms: NOW, read_until_ms: NOW - HOUR };
    const ours = (ago: number, state: "sent" | "failed" | "queued") =>
      receipt(message(1, { author: "you", state, sent_at_ms: NOW - ago }), marks);
    expect(ours(2 * HOUR, "sent")).toBe("read");
    expect(ours(30 * MIN, "sent")).toBe("delivered");
    expect(ours(-MIN, "sent")).toBe("sent");
    expect(ours(2 * HOUR, "failed")).toBe("failed");
    expect(ours(2 * HOUR, "queued")).toBe("waiting");
    expect(receipt(message(1), marks)).toBe("none");
  });
});

describe("firstUnread", () => {
  it("counts customer messages from the end", () => {
    const messages = [message(1), message(2), message(3, { author: "you" }), message(4), message(5)];
    expect(firstUnread(messages, 2)).toBe(4);
    expect(firstUnread(messages, 3)).toBe(2);
    expect(firstUnread(messages, 9)).toBe(1);
    expect(firstUnread(messages, 0)).toBeNull();
  });
});

describe("quotable", () => {
  it("is what the platform has and still shows", () => {
    expect(quotable(message(1))).toBe(true);
    expect(quotable(message(1, { deleted: true }))).toBe(false);
    expect(quotable(message(1, { author: "you", state: "queued", sent_at_ms: NOW - DAY }))).toBe(false);
  });
});
