import { afterEach, describe, expect, it, vi } from "vitest";
import { askedGroups } from "@/features/setup/askedGroups";
import { readPasted } from "@/features/setup/pasted";
import type { Change } from "@/gen/Change";
import type { SyncStatus } from "@/gen/SyncStatus";
import { engineOf } from "@/shared/appearance";
import { initials } from "@/shared/initials";
import { groupsOf } from "@/shared/recoveryGroups";
import { gather, touches } from "@/shared/state/changes";
import { refresher } from "@/shared/state/refresher";
import { readPlace, startPlace } from "@/shared/state/route.svelte";
import { stripsOf } from "@/shared/strips/syncWords.svelte";

describe("changes", () => {
  it("come once per frame and without repeats, in order", () => {
    const frames: (() => void)[] = [];
    const stream = gather((run) => frames.push(run));
    const heard: Change[][] = [];
    const stop = stream.listen((batch) => heard.push([...batch]));
    stream.push([{ kind: "messages", conversation_id: 7 }, { kind: "status" }]);
    stream.push([{ kind: "messages", conversation_id: 7 }]);
    stream.push([{ kind: "messages", conversation_id: 8 }]);
    expect(frames).toHaveLength(1);
    expect(heard).toHaveLength(0);
    frames.shift()?.();
    expect(heard).toEqual([
      [{ kind: "messages", conversation_id: 7 }, { kind: "status" }, { kind: "messages", conversation_id: 8 }],
    ]);
    stream.push([{ kind: "sync" }]);
    stop();
    frames.shift()?.();
    expect(heard).toHaveLength(1);
  });

  it("asks for no frame when there is nothing", () => {
    let frames = 0;
    gather(() => frames++).push([]);
    expect(frames).toBe(0);
  });

  it("everything touches everything", () => {
    expect(touches([{ kind: "everything" }], "sync")).toBe(true);
    expect(touches([{ kind: "status" }], "sync")).toBe(false);
  });
});

describe("a store that is asked again and again", () => {
  afterEach(() => vi.useRealTimers());

  it("asks once at a time, rests, and never misses the last change", async () => {
    vi.useFakeTimers();
    let asked = 0;
    let answer = () => {};
    const refresh = refresher(() => {
      asked++;
      return new Promise<void>((resolve) => {
        answer = resolve;
      });
    }, 250);
    void refresh();
    void refresh();
    void refresh();
    expect(asked).toBe(1);
    answer();
    await vi.advanceTimersByTimeAsync(249);
    void refresh();
    expect(asked).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toBe(2);
    answer();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toBe(2);
    void refresh();
    expect(asked).toBe(3);
  });
});

describe("the remembered place", () => {
  it("survives any text", () => {
    for (const text of ["", "{", "null", "[]", "7", '{"section":"comments","view":"gone","conversationId":"x"}']) {
      expect(readPlace(text)).toEqual(startPlace);
    }
  });

  it("is found again", () => {
    const place = {
      ...startPlace,
      section: "settings" as const,
      settingsPage: "health" as const,
      conversationId: 504,
      details: false,
    };
    expect(readPlace(JSON.stringify(place))).toEqual(place);
  });
});

describe("a pasted code", () => {
  it("loses line breaks and invisible characters", () => {
    expect(readPasted(" sbc1.\u200bq7Rk\r\n2vWm \u202e")).toEqual({ kind: "code", text: "sbc1.q7Rk2vWm" });
    expect(readPasted(" \n\u0000 ")).toEqual({ kind: "empty" });
  });

  it("is refused when it cannot be one", () => {
    expect(readPasted("x".repeat(100_000))).toEqual({ kind: "too_long" });
  });
});

describe("the recovery key", () => {
  it("asks for two different groups, whatever chance says", () => {
    for (let first = 0; first < 20; first++) {
      for (let second = 0; second < 20; second++) {
        const asked = askedGroups(8, new Uint32Array([first, second]));
        expect(new Set(asked).size).toBe(2);
        expect(asked.every((group) => group >= 0 && group < 8)).toBe(true);
        expect(asked).toEqual([...asked].sort((a, b) => a - b));
      }
    }
  });

  it("is read as people type it", () => {
    expect(groupsOf("7k2m-qx9a\nH4TN · b8wd")).toEqual(["7K2M", "QX9A", "H4TN", "B8WD"]);
    expect(groupsOf("７Ｋ２Ｍ")).toEqual(["7K2M"]);
    expect(groupsOf("  ")).toEqual([]);
  });
});

describe("the import strip", () => {
  const now = 1_780_000_000_000;
  const sync: SyncStatus = {
    account_id: 11,
    state: "importing",
    found: 1897,
    done: 312,
    found_all: false,
    left_ms: 240_000,
    messages: 0,
    older_missing: 0,
    awaiting: null,
    last_poll_at_ms: null,
    next_poll_at_ms: null,
    recovered: null,
    imported_at_ms: null,
  };
  const says = (more: Partial<SyncStatus>) =>
    stripsOf([{ sync: { ...sync, ...more }, name: "kornblume.brot" }], now)[0]?.text;

  it("says how far, how long, and that work can start", () => {
    expect(says({})).toBe(
      "Importing kornblume.brot: <b>312</b> of <b>about 1,900</b> conversations, newest first, 4 min left. You can work now.",
    );
    expect(says({ found_all: true, left_ms: null })).toContain("of <b>1,897</b> conversations, newest first. You can");
    expect(says({ found: 0, done: 0 })).toBe("Importing kornblume.brot, newest first. You can work now.");
  });

  it("names what is awaited instead of seeming stuck", () => {
    expect(says({ state: "waiting", awaiting: { code: "rate_limited", params: {} } })).toMatch(
      /^Meta asks to slow down\. <b>312/,
    );
  });

  it("ends with what Meta did not give, and leaves after ten minutes", () => {
    const done = { state: "idle", done: 1904, imported_at_ms: now - 60_000, older_missing: 611 };
    expect(says(done)).toBe(
      "<b>Done:</b> 1,904 conversations of kornblume.brot. Meta did not give older messages in 611 of them.",
    );
    expect(says({ ...done, imported_at_ms: now - 700_000 })).toBeUndefined();
  });

  it("puts several accounts into one line", () => {
    const both = (more: Partial<SyncStatus>) =>
      stripsOf(
        [
          { sync: { ...sync, ...more }, name: "kornblume.brot" },
          { sync: { ...sync, account_id: 12, ...more }, name: "Bäckerei Kornblume" },
        ],
        now,
      ).map((strip) => strip.text);
    expect(both({ found_all: true })).toEqual([
      "Importing 2 accounts: <b>624</b> of <b>3,794</b> conversations, newest first, 4 min left. You can work now.",
    ]);
    expect(both({ state: "idle", imported_at_ms: now, done: 20, older_missing: 3 })).toEqual([
      "<b>Done:</b> 40 conversations of 2 accounts. Meta did not give older messages in 6 of them.",
    ]);
  });

  it("counts what was recovered", () => {
    const recovered = { messages: 14, conversations: 9, at_ms: now - 1000 };
    expect(says({ state: "idle", imported_at_ms: 1, recovered })).toBe("Recovered 14 messages in 9 conversations.");
    expect(says({ state: "idle", imported_at_ms: 1, recovered: { ...recovered, messages: 1, conversations: 1 } })).toBe(
      "Recovered 1 message in 1 conversation.",
    );
  });
});

describe("small marks", () => {
  it("gives initials by script", () => {
    expect(initials("Hannah Voss")).toBe("HV");
    expect(initials("Zoë van den Heuvel")).toBe("ZH");
    expect(initials("高橋 由紀")).toBe("高");
    expect(initials("ليلى الحداد")).toBe("ل");
    expect(initials("Ελένη Παππά")).toBe("ΕΠ");
    expect(initials(null)).toBe("#");
    expect(initials("🌸 ✨")).toBe("#");
  });

  it("knows WebKitGTK by its name for itself", () => {
    expect(
      engineOf("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15"),
    ).toBe("webkitgtk");
    expect(
      engineOf("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"),
    ).toBeNull();
    expect(
      engineOf(
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
      ),
    ).toBeNull();
  });
});
