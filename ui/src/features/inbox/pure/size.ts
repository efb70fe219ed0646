/** How large a picture is drawn, known before it is loaded, so that nothing moves when it arrives. */

/** Drawn size, px. */
export interface Box {
  width: number;
  height: number;
}

const MAX: Box = { width: 224, height: 280 };
/** When the platform did not say how large a picture is. */
const UNKNOWN: Box = { width: 224, height: 168 };
const MIN = 72;

/** Fits a picture into a bubble. Very long or very flat ones are cut by `object-fit: cover`, never squeezed. */
export function pictureBox(width: number | null, height: number | null, max: Box = MAX): Box {
  if (width === null || height === null || width <= 0 || height <= 0) return { ...UNKNOWN };
  const scale = Math.min(1, max.width / width, max.height / height);
  return {
    width: Math.max(MIN, Math.round(width * scale)),
    height: Math.max(MIN, Math.round(height * scale)),
  };
}
