/** Stops the shell's start-up clock, once, when the first screen or the first row of the inbox stands. */
import { backend } from "@/backend";

let told = false;

/** Call it when the content is in the document. The second frame after that has been painted. */
export function painted() {
  if (told) return;
  told = true;
  requestAnimationFrame(() => requestAnimationFrame(() => void backend.native.firstPaint().catch(() => undefined)));
}
