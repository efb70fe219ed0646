import { describe, expect, it } from "vitest";
import { message, NOW } from "./fixtures";
import { Lru } from "./lru";
import { append, compareKeys, newest, overlay, prepend, STRETCH_MAX, type Stretch, upsert, without } from "./pages";
import { pendingMessage, sendKey, withPending } from "./pending";
import { pictureBox } from "./size";

const stretch = (from: number, to: number, before = true, after = false): Stretch => ({
  messages: Array.from({ length: to - from + 1 }, (_, at) => message(from + at)),
  moreBefore: before,
  moreAfter: after,
});
const ends = (of: Stretch) => [of.messages[0]?.id, of.messages.at(-1)?.id, of.messages.length];

describe("overlay", () => {
  it("puts the newest page over a longer stretch", () => {
    const merged = overlay(stretch(1, 100), stretch(60, 103));
    expect(ends(merged)).toEqual([1, 103, 103]);
  });

  it("takes away what the fresh page no longer has", () => {
    const fresh = stretch(60, 100);
    fresh.messages.splice(5, 1);
    expect(overlay(stretch(1, 100), fresh).messages.some((one) => one.id === 65)).toBe(false);
  });

  it("replaces everything when there would be a gap", () => {
    expect(ends(overlay(stretch(1, 50), stretch(80, 120)))).toEqual([80, 120, 41]);
  });

  it("renews the middle of an older stretch", () => {
    const merged = overlay(stretch(1, 100, true, true), stretch(40, 60, true, true));
    expect(ends(merged)).toEqual([1, 100, 100]);
    expect(merged.moreAfter).toBe(true);
  });
});

describe("paging", () => {
  it("adds older above and newer below", () => {
    expect(ends(prepend(stretch(51, 100), stretch(1, 50, false)))).toEqual([1, 100, 100]);
    expect(ends(append(stretch(1, 50, false, true), stretch(51, 90)))).toEqual([1, 90, 90]);
  });

  it("lets the far end go and remembers that there is more", () => {
    const grown = prepend(stretch(101, 100 + STRETCH_MAX), stretch(51, 100));
    expect(ends(grown)).toEqual([51, 50 + STRETCH_MAX, STRETCH_MAX]);
    expect(grown.moreAfter).toBe(true);
  });

  it("keeps only the newest of a thread nobody looks at", () => {
    expect(newest(stretch(1, 100, false), 50)).toMatchObject({ moreBefore: true });
    expect(ends(newest(stretch(1, 100, false), 50))).toEqual([51, 100, 50]);
    expect(ends(newest(stretch(1, 100, false, true), 50))).toEqual([1, 100, 100]);
  });

  it("orders keys of different length as numbers", () => {
    expect(compareKeys("999", "1000")).toBeLessThan(0);
    expect(compareKeys("1773000000000000001", "1773000000000000000")).toBeGreaterThan(0);
  });

  it("puts one message at its place, and takes one out", () => {
    expect(ends(upsert(stretch(1, 3), message(4)))).toEqual([1, 4, 4]);
    expect(upsert(stretch(1, 3), message(2, { text: "anders" })).messages[1]?.text).toBe("anders");
    expect(ends(upsert(stretch(1, 3, false, true), message(9)))).toEqual([1, 3, 3]);
    expect(ends(without(stretch(1, 3), 3))).toEqual([1, 2, 2]);
  });
});

describe("pending sends", () => {
  it("stand at the end until their row is there, each for one row", () => {
    const known = new Set([1]);
    const first = { key: "a", known, message: pendingMessage(504, "Ja", NOW, 5000, true, null) };
    const second = { key: "b", known, message: pendingMessage(504, "Ja", NOW, 5000, true, null) };
    const own = message(2, { author: "you", text: "Ja", state: "scheduled" });
    expect(withPending([message(1)], [first, second]).map((one) => one.id)).toEqual([
      1,
      first.message.id,
      second.message.id,
    ]);
    expect(withPending([message(1), own], [first, second]).map((one) => one.id)).toEqual([1, 2, second.message.id]);
    expect(first.message.id).toBeLessThan(0);
  });

  it("have a key of their own, a UUID", () => {
    expect(sendKey()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(sendKey()).not.toBe(sendKey());
  });

  it("are not taken for an older message with the same words", () => {
    const old = message(1, { author: "you", text: "Ja" });
    const send = { key: "a", known: new Set([1]), message: pendingMessage(504, "Ja", NOW, 0, true, null) };
    expect(withPending([old], [send])).toHaveLength(2);
    expect(send.message.state).toBe("queued");
  });
});

it("forgets what was used longest ago", () => {
  const kept = new Lru<number, string>(2);
  kept.set(1, "a");
  kept.set(2, "b");
  kept.get(1);
  kept.set(3, "c");
  expect([kept.get(1), kept.get(2), kept.get(3)]).toEqual(["a", undefined, "c"]);
});

it("knows a picture's size before it is loaded", () => {
  expect(pictureBox(900, 1200)).toEqual({ width: 210, height: 280 });
  expect(pictureBox(100, 100)).toEqual({ width: 100, height: 100 });
  expect(pictureBox(null, 300)).toEqual({ width: 224, height: 168 });
  expect(pictureBox(10, 4000)).toEqual({ width: 72, height: 280 });
});
