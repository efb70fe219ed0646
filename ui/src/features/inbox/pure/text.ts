/** Cuts what people wrote into pieces the interface can draw as plain text nodes. Nothing here makes markup, so nothing can be injected. */
/** A piece of a message. */
export type TextPiece = { kind: "text"; text: string } | { kind: "link"; text: string; href: string };

/** A piece of a search excerpt. */
export interface MarkPiece {
  text: string;
  marked: boolean;
}

const LINK = /\b(?:https?:\/\/|www\.)[^\s<>"'`{}|\\^[\]]+/giu;
const TRAILING = /[.,;:!?…،؛؟。、」』»”’]+$/u;

function tidy(found: string): string {
  let link = found.replace(TRAILING, "");
  while (link.endsWith(")") && link.split(")").length > link.split("(").length) {
    link = link.slice(0, -1).replace(TRAILING, "");
  }
  return link;
}

/** The address as the system browser may get it: only http and https, no user name in it. Null for anything else. */
export function openable(link: string): string | null {
  try {
    const url = new URL(/^www\./iu.test(link) ? `https://${link}` : link);
    if (url.protocol !== "http:" && url.protocol !== "https:") return null;
    if (url.username !== "" || url.password !== "") return null;
    return url.href;
  } catch {
    return null;
  }
}

/** Text with its links recognised. Joining the pieces gives the text back. */
export function textPieces(text: string): TextPiece[] {
  const pieces: TextPiece[] = [];
  let from = 0;
  for (const found of text.matchAll(LINK)) {
    const link = tidy(found[0]);
    const href = openable(link);
    if (href === null) continue;
    if (found.index > from) pieces.push({ kind: "text", text: text.slice(from, found.index) });
    pieces.push({ kind: "link", text: link, href });
    from = found.index + link.length;
  }
  if (from < text.length) pieces.push({ kind: "text", text: text.slice(from) });
  return pieces;
}

/** An excerpt cut at its marks (UTF-16 offsets). Marks out of range, empty or overlapping are mended, never trusted. */
export function markPieces(text: string, marks: ReadonlyArray<readonly [number, number]>): MarkPiece[] {
  const sorted = marks
    .map(([start, end]) => [Math.max(0, start), Math.min(text.length, end)] as const)
    .filter(([start, end]) => end > start)
    .sort((a, b) => a[0] - b[0]);
  const pieces: MarkPiece[] = [];
  let from = 0;
  for (const [start, end] of sorted) {
    const begin = Math.max(start, from);
    if (end <= begin) continue;
    if (begin > from) pieces.push({ text: text.slice(from, begin), marked: false });
    pieces.push({ text: text.slice(begin, end), marked: true });
    from = end;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), marked: false });
  return pieces;
}

/** True for one to three emoji and nothing else, which are drawn larger. */
export function onlyEmoji(text: string): boolean {
  const bare = text.trim();
  if (bare === "" || bare.length > 40) return false;
  if (!/^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|\u200d|\ufe0f|\s)+$/u.test(bare))
    return false;
  return [...new Intl.Segmenter().segment(bare.replace(/\s/gu, ""))].length <= 3;
}
