/** Entries for the API: more names than metrics have slots for, still bounded. Those written longest ago go first. */
const limit = 2000;

export class RecentEntries<Entry> {
  /** Entries dropped for newer ones: the list is not complete when this is not 0. */
  dropped = 0;
  readonly #entries = new Map<string, Entry>();

  /** In the order in which they were written last. */
  entries(): Entry[] {
    return [...this.#entries.values()];
  }

  /** The entry of a key, as it was written last. */
  protected entry(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** The entry of a key, to be written now; `create` makes it where there is none. */
  protected written(key: string, create: () => Entry): Entry {
    const entry = this.#entries.get(key) ?? create();
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > limit) {
      this.#entries.delete(this.#entries.keys().next().value as string);
      this.dropped += 1;
    }
    return entry;
  }
}
