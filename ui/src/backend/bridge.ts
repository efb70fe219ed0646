/** The core behind the local browser bridge: the same use cases over HTTP, changes over a WebSocket.
 *
 * The token stands in the page's fragment once, is taken out of the address at once and never appears in a URL again. */
import type { Change } from "@/gen/Change";
import type { Answer, Argument, Backend, UseCase } from "./backend";
import { ApiError, toApiError } from "./errors";

const KEY = "shopbell-bridge";
const AGAIN_MS = [250, 500, 1000, 2000, 5000];

export interface BridgePlace {
  base: string;
  token: string;
}

/** Where the bridge is: from `#bridge=<token>` or `#bridge=<base>|<token>`, else as kept for this tab. */
export function bridgePlace(location: Location, storage: Storage): BridgePlace | null {
  const found = new URLSearchParams(location.hash.slice(1)).get("bridge");
  if (found) {
    const cut = found.lastIndexOf("|");
    const place = { base: cut < 0 ? location.origin : found.slice(0, cut), token: found.slice(cut + 1) };
    storage.setItem(KEY, JSON.stringify(place));
    return place;
  }
  const kept = storage.getItem(KEY);
  return kept ? (JSON.parse(kept) as BridgePlace) : null;
}

/** Turns an answer that is not 2xx into the error it carries. */
export async function errorOf(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  const error = toApiError(body, response.status === 401 || response.status === 403 ? "bridge_closed" : "internal");
  return error;
}

export function bridgeBackend({ base, token }: BridgePlace): Backend {
  const headers = { "x-shopbell-token": token };

  async function reach(path: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`${base}${path}`, { ...init, headers: { ...headers, ...init.headers } });
    } catch {
      throw new ApiError({ code: "core_gone", message: "The core did not answer." });
    }
    if (!response.ok) throw await errorOf(response);
    return response;
  }

  return {
    async call<K extends UseCase>(name: K, argument: Argument<K>) {
      const response = await reach(`/api/${name}`, {
        method: "POST",
        body: JSON.stringify(argument),
        headers: { "content-type": "application/json" },
      });
      return (await response.json()) as Answer<K>;
    },
    changes: (listener) => listen(base, token, listener),
    media(id) {
      let made: string | null = null;
      let gone = false;
      const url = reach(`/media/${encodeURIComponent(id)}`, {})
        .then((response) => response.blob())
        .then((blob) => {
          made = URL.createObjectURL(blob);
          if (gone) URL.revokeObjectURL(made);
          return made;
        });
      return {
        url,
        forget: () => {
          gone = true;
          if (made) URL.revokeObjectURL(made);
        },
      };
    },
    native: {
      openBrowser: async (url) => {
        window.open(url, "_blank", "noopener");
      },
      // The way of the window, so that a browser goes through the same pages; its owner pastes the code.
      schemeState: async () => ({ ours: true, holder: null }),
      firstPaint: async () => undefined,
      quit: async () => window.close(),
    },
  };
}

function listen(base: string, token: string, listener: (changes: Change[]) => void): () => void {
  let stopped = false;
  let tries = 0;
  let socket: WebSocket | null = null;
  let timer = 0;
  const open = () => {
    socket = new WebSocket(`${base.replace(/^http/, "ws")}/changes`, `shopbell.${token}`);
    socket.onopen = () => {
      if (tries > 0) listener([{ kind: "everything" }]);
      tries = 0;
    };
    socket.onmessage = (event) => listener(JSON.parse(String(event.data)) as Change[]);
    socket.onclose = () => {
      if (stopped) return;
      timer = window.setTimeout(open, AGAIN_MS[Math.min(tries++, AGAIN_MS.length - 1)]);
    };
  };
  open();
  return () => {
    stopped = true;
    window.clearTimeout(timer);
    socket?.close();
  };
}
