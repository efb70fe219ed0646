import { describe, expect, it } from "vitest";
import { DAY, HOUR, MIN, NOW } from "./fixtures";
import { lastWrote, span, windowNow } from "./window";

const view = (state: string, open: number | null, human: number | null = null) => ({
  state,
  open_until_ms: open,
  human_until_ms: human,
  lock: null,
});

describe("windowNow", () => {
  it("is calm above three hours, soon from three, urgent in the last", () => {
    const tone = (left: number) => {
      const now = windowNow(view("open", NOW + left), NOW);
      return now.kind === "open" ? now.tone : now.kind;
    };
    expect(tone(3 * HOUR + 1)).toBe("calm");
    expect(tone(3 * HOUR)).toBe("soon");
    expect(tone(HOUR + 1)).toBe("soon");
    expect(tone(HOUR)).toBe("urgent");
    expect(tone(0)).toBe("closed");
  });

  it("gives the share of the 24 hours for the ring", () => {
    const now = windowNow(view("open", NOW + 6 * HOUR), NOW);
    expect(now.kind === "open" && now.share).toBe(0.25);
  });

  it("goes on to only-you and to closed as time passes, whatever the core said before", () => {
    const asked = view("open", NOW - MIN, NOW + 6 * DAY);
    expect(windowNow(asked, NOW).kind).toBe("human");
    expect(windowNow(asked, NOW + 7 * DAY).kind).toBe("closed");
    expect(windowNow(view("open", NOW - MIN), NOW).kind).toBe("closed");
  });

  it("knows channels without a limit and people who never wrote", () => {
    expect(windowNow(view("unlimited", null), NOW).kind).toBe("unlimited");
    expect(windowNow(view("never", null), NOW).kind).toBe("never");
  });
});

describe("span", () => {
  it("rounds down", () => {
    expect(span(34 * MIN + 59_000)).toEqual({ unit: "minutes", minutes: 34 });
    expect(span(23 * HOUR + 54 * MIN)).toEqual({ unit: "hours", hours: 23, minutes: 54 });
    expect(span(47 * HOUR + 59 * MIN)).toEqual({ unit: "hours", hours: 47, minutes: 59 });
    expect(span(5 * DAY + 23 * HOUR)).toEqual({ unit: "days", days: 5 });
    expect(span(-5)).toEqual({ unit: "minutes", minutes: 0 });
  });
});

it("reckons from the window's end when the customer last wrote", () => {
  expect(lastWrote(view("open", NOW))).toBe(NOW - DAY);
  expect(lastWrote(view("never", null))).toBeNull();
});
