/** The one door between the interface and the core.
 *
 * Invariant: everything the interface knows comes through a `Backend`; only `tauri.ts` and `bridge.ts` know how the core is reached.
 * Words and screens do not belong here. */
import type { UseCases } from "@/gen/api";
import type { Change } from "@/gen/Change";

export type UseCase = keyof UseCases;
export type Argument<K extends UseCase> = UseCases[K]["argument"];
export type Answer<K extends UseCase> = UseCases[K]["answer"];

/** Who opens `shopbell:` addresses on this computer. */
export interface SchemeState {
  /** This program does. */
  ours: boolean;
  /** Name of the program that does, when it is another one and its name is known. */
  holder: string | null;
}

/** What only the shell can do. In a browser the nearest thing happens instead. */
export interface Native {
  /** Opens an address in the system's browser. */
  openBrowser(url: string): Promise<void>;
  schemeState(): Promise<SchemeState>;
  /** Stops the start-up clock. Called once, after the first screen is painted. */
  firstPaint(): Promise<void>;
  quit(): Promise<void>;
}

export interface Backend {
  /** Runs one use case. Rejects with `ApiError`, never with anything else. */
  call<K extends UseCase>(name: K, argument: Argument<K>): Promise<Answer<K>>;
  /** Hears of changes, in batches, until the returned function is called. After a lost line the first batch is `everything`. */
  changes(listener: (changes: Change[]) => void): () => void;
  /** An address that an `<img>` may load. `forget` frees it. */
  media(id: string): { url: Promise<string>; forget: () => void };
  native: Native;
}
