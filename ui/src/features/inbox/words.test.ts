import { describe, expect, it } from "vitest";
import { speak } from "@/shared/locale.svelte";
import { lockWords } from "./locks";
import { DAY, HOUR, MIN, NOW, row } from "./pure/fixtures";
import { dayWords, leftWords, onlyYouWords, personName, previewWords, rowLeft, whenWords } from "./words";

const head = (more: Parameters<typeof row>[1]) => ({
  row: row(508, more),
  person: {} as never,
  draft: null,
  older_missing: false,
  delivered_until_ms: null,
  read_until_ms: null,
  text_limit: { unit: "bytes", max: 1000 },
});
const about = { name: "Ana", account: "kornblume.brot", now: NOW };

describe("words of the list", () => {
  it("names people by name, handle or number", () => {
    expect(personName({ name: "Ana", username: "ana" }, 7)).toBe("Ana");
    expect(personName({ name: null, username: "ana" }, 7)).toBe("@ana");
    expect(personName({ name: null, username: null }, 1842)).toBe("Customer #1842");
  });

  it("says what it was when there are no words", () => {
    expect(previewWords(row(1, { preview: "", preview_kind: "image" }))).toEqual({ text: "Picture", written: false });
    expect(previewWords(row(1, { preview: "", preview_kind: "hologram" })).text).toBe("File");
    expect(previewWords(row(1))).toEqual({ text: "Hallo", written: true });
  });

  it("shows time left only when it is short", () => {
    expect(leftWords(34 * MIN)).toBe("34 min left");
    expect(leftWords(HOUR + 50 * MIN)).toBe("1 h 50 left");
    expect(leftWords(2 * HOUR)).toBe("2 h left");
    expect(onlyYouWords(5 * DAY + HOUR)).toBe("Only you, 5 d");
    expect(rowLeft({ kind: "open", leftMs: 9 * HOUR, tone: "calm", share: 0.4, until: NOW })).toBeNull();
    expect(rowLeft({ kind: "closed" })).toMatchObject({ words: "Closed", mark: "lock" });
  });

  it("has nothing relative beyond yesterday", () => {
    expect(dayWords(NOW - HOUR, NOW)).toBe("Today");
    expect(dayWords(NOW - DAY, NOW)).toBe("Yesterday");
    expect(dayWords(NOW - 2 * DAY, NOW)).toMatch(/Tuesday.*May/);
    expect(whenWords(NOW + DAY, NOW)).toContain("14:32");
    expect(whenWords(NOW + DAY, NOW)).toContain("Fri");
  });

  it("speaks German and Arabic", () => {
    speak("de");
    expect(leftWords(HOUR + 5 * MIN)).toBe("noch 1 h 05");
    speak("ar");
    expect(leftWords(34 * MIN)).toContain("34");
    speak("en");
  });
});

describe("locks", () => {
  it("says since when the window is closed, and where to answer instead", () => {
    const window = { state: "closed", open_until_ms: NOW - 8 * DAY, human_until_ms: null, lock: null };
    const words = lockWords(
      head({ window, channel: "messenger" }) as never,
      { code: "window_closed", params: {} },
      about,
    );
    expect(words.title).toBe("9 days have passed since Ana last wrote.");
    expect(words.step).toMatchObject({ do: "open" });
    const day = { ...window, open_until_ms: NOW - HOUR };
    expect(
      lockWords(head({ window: day, channel: "messenger" }) as never, { code: "window_closed", params: {} }, about)
        .title,
    ).toBe("24 hours have passed since Ana last wrote.");
  });

  it("has a sentence and a step for every code, also for one it never heard of", () => {
    for (const code of ["paused", "disconnected", "blocked", "permission_missing", "sample", "from_the_future"]) {
      const words = lockWords(head({}) as never, { code, params: {} }, about);
      expect(words.title.length, code).toBeGreaterThan(10);
      expect(words.title, code).not.toContain("_");
      expect(words.step, code).not.toBeNull();
    }
  });
});
