/** The one register of keyboard commands.
 *
 * Invariant: a command works only while its screen is there (register returns the way out); single letters are silent in text fields.
 * What a command does belongs to whoever registers it. */

export interface KeyCommand {
  /** `"?"`, `"j"`, `"g i"`, `"mod+,"`, `"shift+u"`, `"Escape"`, `"ArrowDown"`. `mod` is Ctrl, on a Mac Command. */
  keys: string;
  /** The words of the `?` sheet. Absent = not listed there. */
  says?: () => string;
  /** The heading it stands under. */
  group?: "everywhere" | "list" | "thread" | "settings";
  run: (event: KeyboardEvent) => void;
  /** Also while the owner types. */
  inFields?: boolean;
  /** Off while this is false. */
  when?: () => boolean;
}

const CHORD_MS = 1200;
const commands: KeyCommand[] = [];
/** Every command that ever had words, for the list in the settings. */
const seen = new Map<string, KeyCommand>();
let chord: { key: string; at: number } | null = null;

/** Adds commands; the newest wins over older ones with the same keys. Returns the way out. */
export function register(...added: KeyCommand[]): () => void {
  commands.unshift(...added);
  for (const command of added) if (command.says) seen.set(`${command.group} ${command.keys}`, command);
  return () => {
    for (const command of added) {
      const at = commands.indexOf(command);
      if (at >= 0) commands.splice(at, 1);
    }
  };
}

/** Commands for the `?` sheet, one per keys. */
export function listed(): KeyCommand[] {
  const told = new Set<string>();
  return commands.filter((command) => command.says && !told.has(command.keys) && told.add(command.keys));
}

/** Commands of every screen that was there, also of those that are not there now. */
export const known = (): KeyCommand[] => [...seen.values()];

export function inField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

/** One key press in the register's words. */
export function wordOf(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">): string {
  const letter = event.key.length === 1;
  const key = letter ? event.key.toLowerCase() : event.key;
  const shift = event.shiftKey && (!letter || /\p{L}/u.test(key));
  return `${event.ctrlKey || event.metaKey ? "mod+" : ""}${event.altKey ? "alt+" : ""}${shift ? "shift+" : ""}${key}`;
}

/** Runs the command of a key press, if there is one. Returns whether it did. */
export function press(event: KeyboardEvent, now = event.timeStamp): boolean {
  if (event.isComposing || event.defaultPrevented || /^(Control|Meta|Alt|Shift)$/.test(event.key)) return false;
  const word = wordOf(event);
  const pair = chord && now - chord.at < CHORD_MS ? `${chord.key} ${word}` : null;
  chord = null;
  const field = inField(event.target);
  const fits = (command: KeyCommand) => (command.inFields || !field) && (command.when?.() ?? true);
  const command =
    commands.find((one) => one.keys === pair && fits(one)) ?? commands.find((one) => one.keys === word && fits(one));
  if (command) {
    event.preventDefault();
    command.run(event);
    return true;
  }
  if (!field && commands.some((one) => one.keys.startsWith(`${word} `))) chord = { key: word, at: now };
  return false;
}
