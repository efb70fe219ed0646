/** Keeps the threads opened last in memory, so that going back to one shows it in the same frame. */
/** A map that forgets what was used longest ago. */
export class Lru<K, V> {
  readonly #max: number;
  readonly #map = new Map<K, V>();

  constructor(max: number) {
    this.#max = max;
  }

  /** The value, now the one used last. */
  get(key: K): V | undefined {
    const value = this.#map.get(key);
    if (value === undefined) return undefined;
    this.#map.delete(key);
    this.#map.set(key, value);
    return value;
  }

  /** Remembers a value and lets the oldest one go when there are too many. */
  set(key: K, value: V): void {
    this.#map.delete(key);
    this.#map.set(key, value);
    if (this.#map.size > this.#max) {
      const oldest = this.#map.keys().next();
      if (!oldest.done) this.#map.delete(oldest.value);
    }
  }

  /** Forgets one value. */
  delete(key: K): void {
    this.#map.delete(key);
  }

  /** Every value, oldest first. */
  values(): IterableIterator<V> {
    return this.#map.values();
  }

  /** Forgets everything. */
  clear(): void {
    this.#map.clear();
  }
}
