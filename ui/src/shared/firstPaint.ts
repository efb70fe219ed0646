/** Stops the shell's start-up clock, once, when the first screen or the first row of the inbox stands. */
import { backend } from "@/backend";

const AT_LATEST_MS = 40;
let told = false;

/** Call it when the content is in the document. The window is not shown before, and a hidden one may paint no frames: then a
 * timer stands in for the second frame. */
export function painted() {
  if (told) return;
  told = true;
  let said = false;
  const say = () => {
    if (said) return;
    said = true;
    void backend.native.firstPaint().catch(() => undefined);
  };
  if (!document.hidden) requestAnimationFrame(() => requestAnimationFrame(say));
  window.setTimeout(say, AT_LATEST_MS);
}
