import { afterEach, describe, expect, it, vi } from "vitest";
import { bridgeBackend, bridgePlace } from "@/backend/bridge";
import { ApiError, toApiError } from "@/backend/errors";
import type { Change } from "@/gen/Change";

const place = { base: "http://127.0.0.1:4711", token: "s3cret" };
const answering = (body: unknown, status = 200) => {
  const fetched = vi.fn(async (_url: string, _init: RequestInit) => new Response(JSON.stringify(body), { status }));
  vi.stubGlobal("fetch", fetched);
  return fetched;
};
afterEach(() => vi.unstubAllGlobals());

describe("the bridge", () => {
  it("posts the argument itself and keeps the token out of the address", async () => {
    const fetched = answering([]);
    await bridgeBackend(place).call("sync_log", { id: 11 });
    const [url, init] = fetched.mock.calls[0] ?? [];
    expect(url).toBe("http://127.0.0.1:4711/api/sync_log");
    expect(url).not.toContain("s3cret");
    expect(init?.body).toBe('{"id":11}');
    expect(init?.headers).toMatchObject({ "x-shopbell-token": "s3cret" });
  });

  it("rejects with the error that the core built", async () => {
    answering({ code: "too_long", message: "Too long.", detail: "1003 bytes", field: "text", retry_after_ms: 5 }, 422);
    const error = await bridgeBackend(place)
      .call("message_undo", { id: 1 })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ code: "too_long", detail: "1003 bytes", field: "text", retryAfterMs: 5 });
  });

  it.each([
    [401, "bridge_closed"],
    [403, "bridge_closed"],
    [500, "internal"],
  ])("has a code of its own for a bare %i", async (status, code) => {
    answering("no json for you", status);
    await expect(bridgeBackend(place).call("app_status", {})).rejects.toMatchObject({ code });
  });

  it("says that the core is gone when nothing answers", async () => {
    vi.stubGlobal("fetch", vi.fn().mockRejectedValue(new TypeError("refused")));
    await expect(bridgeBackend(place).call("app_status", {})).rejects.toMatchObject({ code: "core_gone" });
  });

  it("takes its place from the fragment once and keeps it for the tab", () => {
    sessionStorage.clear();
    const at = (hash: string) => ({ hash, origin: "http://127.0.0.1:4711" }) as Location;
    expect(bridgePlace(at(""), sessionStorage)).toBeNull();
    expect(bridgePlace(at("#bridge=s3cret"), sessionStorage)).toEqual(place);
    expect(bridgePlace(at(""), sessionStorage)).toEqual(place);
    expect(bridgePlace(at("#bridge=http://127.0.0.1:9|t"), sessionStorage)).toEqual({
      base: "http://127.0.0.1:9",
      token: "t",
    });
  });

  it("asks again for everything after a lost line, and only then", () => {
    const sockets: FakeSocket[] = [];
    class FakeSocket {
      onopen?: () => void;
      onclose?: () => void;
      onmessage?: (event: { data: string }) => void;
      constructor(
        readonly url: string,
        readonly protocol: string,
      ) {
        sockets.push(this);
      }
      close() {}
    }
    vi.stubGlobal("WebSocket", FakeSocket);
    vi.useFakeTimers();
    const heard: Change[][] = [];
    const stop = bridgeBackend(place).changes((batch) => heard.push(batch));
    expect(sockets[0]).toMatchObject({ url: "ws://127.0.0.1:4711/changes", protocol: "shopbell.s3cret" });
    sockets[0]?.onopen?.();
    sockets[0]?.onmessage?.({ data: '[{"kind":"status"}]' });
    sockets[0]?.onclose?.();
    vi.advanceTimersByTime(250);
    sockets[1]?.onopen?.();
    stop();
    sockets[1]?.onclose?.();
    vi.advanceTimersByTime(60_000);
    vi.useRealTimers();
    expect(heard).toEqual([[{ kind: "status" }], [{ kind: "everything" }]]);
    expect(sockets).toHaveLength(2);
  });
});

describe("whatever is thrown", () => {
  it("becomes an error with a code and without foreign text", () => {
    expect(toApiError(new Error("token=abc"))).toMatchObject({ code: "internal", message: "Error" });
    expect(toApiError("plain", "core_gone").code).toBe("core_gone");
    const kept = new ApiError({ code: "locked", message: "x" });
    expect(toApiError(kept)).toBe(kept);
  });
});
