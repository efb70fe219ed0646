/** What is printed on the keys of a command. */

const MAC = typeof navigator !== "undefined" && /Mac/.test(navigator.userAgent);
const CAPS: Record<string, string> = {
  mod: MAC ? "⌘" : "Ctrl",
  alt: MAC ? "⌥" : "Alt",
  shift: "⇧",
  Escape: "Esc",
  Enter: "↵",
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
};

export const capsOf = (keys: string): string[] =>
  keys
    .split(" ")
    .flatMap((press) => press.split("+").map((part) => CAPS[part] ?? (part.length === 1 ? part.toUpperCase() : part)));
