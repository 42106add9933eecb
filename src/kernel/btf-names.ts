import type { BtfTypes } from './btf-types.js';

/**
 * Finds types by name, those of the kinds that are accepted. A kernel has over 70,000 of them and is asked for some
 * dozens: their names are compared where they lie, for as strings they would be 20 MB.
 */
export class NameIndex {
  readonly #types: BtfTypes;
  readonly #ids: Uint32Array;
  readonly #found = new Map<string, readonly number[]>();

  constructor(types: BtfTypes, accepts: (kind: number) => boolean) {
    this.#types = types;
    const ids = new Uint32Array(types.lastId);
    let count = 0;
    for (let id = 1; id <= types.lastId; id += 1) if (accepts(types.kind(id))) ids[count++] = id;
    this.#ids = ids.subarray(0, count);
  }

  /** Ids of the types that have this name, in their order; none for the empty name. */
  find(name: string): readonly number[] {
    const known = this.#found.get(name);
    if (known !== undefined) return known;
    const ids = this.#search(name);
    this.#found.set(name, ids);
    return ids;
  }

  #search(name: string): number[] {
    if (name === '') return [];
    const offsets = this.#types.offsetsOf(name);
    return offsets.size === 0
      ? []
      : Array.from(this.#ids.filter((id) => offsets.has(this.#types.nameOffset(id))));
  }
}
