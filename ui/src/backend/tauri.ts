/** The core behind the window's own commands. The only file that imports `@tauri-apps/*`. */
import { Channel, invoke } from "@tauri-apps/api/core";
import type { Change } from "@/gen/Change";
import type { Answer, Argument, Backend, SchemeState, UseCase } from "./backend";
import { toApiError } from "./errors";

/** Web views on Windows reach custom schemes through a local http host. */
const MEDIA = navigator.userAgent.includes("Windows") ? "http://media.localhost/" : "media://localhost/";

async function command<T>(name: string, payload: Record<string, unknown> = {}): Promise<T> {
  try {
    return await invoke<T>(name, payload);
  } catch (error) {
    throw toApiError(error);
  }
}

export function tauriBackend(): Backend {
  return {
    call: <K extends UseCase>(name: K, argument: Argument<K>) => command<Answer<K>>(name, { argument }),
    changes(listener) {
      let live = true;
      const channel = new Channel<Change[]>();
      channel.onmessage = (changes) => {
        if (live) listener(changes);
      };
      void command<void>("listen_changes", { channel }).catch(() => listener([{ kind: "everything" }]));
      return () => {
        live = false;
      };
    },
    media: (id) => ({ url: Promise.resolve(MEDIA + encodeURIComponent(id)), forget: () => undefined }),
    native: {
      openBrowser: (url) => command("open_browser", { url }),
      schemeState: () => command<SchemeState>("scheme_state"),
      firstPaint: () => command("first_paint"),
      quit: () => command("quit"),
    },
  };
}
