import { describe, expect, test } from "vitest";
import { eventWords, stateWords } from "@/features/health/eventWords";
import { relayWords } from "@/features/health/relayWords";
import { eventsPage, relayOf } from "../fake/live";
import { START } from "../fake/time";

const relay = (query: string) => relayOf(new URLSearchParams(query));

describe("the line to the relay", () => {
  test("connected is calm and says what it means", () => {
    const words = relayWords(relay(""), START);
    expect(words.tone).toBe("ok");
    expect(words.say).toContain("the moment a customer writes");
    expect(words.reconnect).toBe(false);
  });

  test("a moment without a connection is no warning, a minute is, and it says the risk", () => {
    const waiting = relay("relay=waiting");
    expect(relayWords({ ...waiting, since_ms: START - 5_000 }, START).tone).toBe("quiet");
    const words = relayWords(waiting, START);
    expect(words.tone).toBe("warn");
    expect(words.say).toContain("The relay does not answer.");
    expect(words.say).toContain("newest 20 messages");
    expect(words.facts.map(([name]) => name)).toEqual(
      expect.arrayContaining(["Next try", "Events were missing", "Relay was away"]),
    );
  });

  test("an unknown reason is still a sentence", () => {
    const words = relayWords({ ...relay("relay=waiting"), reason: { code: "of_tomorrow", params: {} } }, START);
    expect(words.say).not.toContain("of_tomorrow");
  });

  test("taken over can be taken back, an update cannot", () => {
    expect(relayWords(relay("relay=stopped"), START).reconnect).toBe(true);
    const old = { ...relay("relay=stopped"), reason: { code: "upgrade", params: {} } };
    expect(relayWords(old, START)).toMatchObject({ tone: "warn", reconnect: false });
  });

  test("catching up counts in words", () => {
    expect(relayWords(relay("relay=catching_up"), START).say).toContain("214 events");
  });
});

describe("events of the log", () => {
  const rows = eventsPage({ state: null, before: null, limit: 60 }).rows;
  const words = (id: number) => {
    const event = rows.find((one) => one.id === id);
    if (!event) throw new Error("no such event");
    return [eventWords(event), stateWords(event, START)];
  };

  test("a failed one says why and when it is tried again", () => {
    const [kind, state] = words(58);
    expect(kind).toBe("Meta");
    expect(state).toMatch(/^Failed · It cannot be read\. · tried again /);
  });

  test("unknown kinds and shops have words", () => {
    expect(words(55)).toEqual(["Unknown kind", "Nothing to do · This version does not know this kind. It is kept."]);
    expect(words(51)[0]).toBe("Shop");
  });
});
