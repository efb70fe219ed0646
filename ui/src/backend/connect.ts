/** Chooses the way to the core, once, at start. */
import type { Backend } from "./backend";
import { bridgeBackend, bridgePlace } from "./bridge";
import { tauriBackend } from "./tauri";

export function connect(): Backend {
  if ("__TAURI_INTERNALS__" in window) return tauriBackend();
  const place = bridgePlace(window.location, window.sessionStorage);
  if (!place) throw new Error("This page belongs to the Shopbell window.");
  if (window.location.hash) window.history.replaceState(null, "", window.location.pathname + window.location.search);
  return bridgeBackend(place);
}
