/** What the page knows: the columns of the last quarter of an hour, and what is asked of them. No DOM, no network. */
import type { Column } from '../api/column-rows.js';
import type { History } from '../api/history.js';

export type Block = Column['blocks'][number];

/** Names to be shown alone; undefined for all. */
export interface Filter {
  readonly reader?: string | undefined;
  readonly victim?: string | undefined;
  readonly file?: string | undefined;
}

export interface Pair {
  readonly reader: string;
  readonly victim: string;
  readonly blocks: number;
  readonly seconds: number;
  readonly files: readonly string[];
}

/** Sums of one name, the largest first. */
export interface Named {
  readonly name: string;
  readonly place: string | null;
  readonly seconds: number;
}

export interface Matrix {
  readonly readers: readonly Named[];
  readonly victims: readonly Named[];
  /** By reader and victim: see {@link pairKey}. */
  readonly pairs: ReadonlyMap<string, Pair>;
  /** The largest of all pairs. */
  readonly most: number;
  /** Thread-seconds that have no place in it. */
  readonly rest: number;
  /** Seconds that were observed. */
  readonly observed: number;
}

export const unknownReader = '~unknown';

/** Names may hold spaces, but never a newline. */
export const pairKey = (reader: string, victim: string): string => `${reader}\n${victim}`;

export const passes = (filter: Filter, block: Pick<Block, 'reader' | 'victim' | 'file'>): boolean =>
  (filter.reader === undefined || filter.reader === block.reader) &&
  (filter.victim === undefined || filter.victim === block.victim) &&
  (filter.file === undefined || filter.file === block.file);

export const isFiltered = ({ reader, victim, file }: Filter): boolean =>
  reader !== undefined || victim !== undefined || file !== undefined;

/** As many readers, and as many victims, as the matrix has room for. */
const mostNames = 50;

export class Model {
  operations: readonly string[] = [];
  bounds: readonly number[] = [];
  columnSeconds = 5;
  /** The time up to which is shown, where that is after the last column: nothing was observed since. */
  #shownTo = 0;
  #columns: Column[] = [];

  get columns(): readonly Column[] {
    return this.#columns;
  }

  load({ operations, duration_bounds_seconds, column_seconds, columns }: History): void {
    this.operations = operations;
    this.bounds = duration_bounds_seconds;
    this.columnSeconds = column_seconds;
    this.#columns = [...columns];
  }

  /**
   * Takes the newest column, in the place of what is known of it. Older ones than are shown go, and so do later ones.
   * @returns whether it follows what is known; if not, columns lack, or the time of day of the host was set
   */
  put(column: Column, keptSeconds: number): boolean {
    const at = Date.parse(column.at);
    const last = this.#columns.at(-1);
    const since = last === undefined ? 0 : at - Date.parse(last.at);
    const oldest = at - keptSeconds * 1000;
    const isKept = (time: number): boolean => time > oldest && time < at;
    this.#columns = [...this.#columns.filter((one) => isKept(Date.parse(one.at))), column];
    return since === 0 || since === this.columnSeconds * 1000;
  }

  /**
   * Nothing is observed: what is shown goes on to this time all the same, but no further than the page looks back.
   * @param now milliseconds since the epoch
   */
  unobservedTo(now: number, keptSeconds: number): void {
    const last = Date.parse(this.#columns.at(-1)?.at ?? '');
    this.#shownTo = Number.isNaN(last) ? 0 : Math.min(now, last + keptSeconds * 1000);
  }

  /** Begin of the last column that is shown, milliseconds since the epoch; undefined where there is none. */
  #lastAt(): number | undefined {
    const last = this.#columns.at(-1);
    if (last === undefined) return undefined;
    const length = this.columnSeconds * 1000;
    const at = Date.parse(last.at);
    return at + Math.max(0, Math.floor((this.#shownTo - at) / length)) * length;
  }

  /** The columns of the last seconds, up to the newest. */
  within(seconds: number): readonly Column[] {
    const lastAt = this.#lastAt();
    if (lastAt === undefined) return [];
    const from = lastAt + this.columnSeconds * 1000 - seconds * 1000;
    return this.#columns.filter(({ at }) => Date.parse(at) >= from);
  }

  matrix(seconds: number, filter: Filter): Matrix {
    const columns = this.within(seconds);
    const blocks = columns.flatMap((column) => column.blocks).filter((block) => passes(filter, block));
    const readers = sumBy(blocks, (block) => [block.reader, block.reader_unit]);
    const victims = sumBy(blocks, (block) => [block.victim, block.victim_unit]);
    // Nobody's share is the last row, however large it is: it is no reader.
    const ranked = [
      ...readers.filter(({ name }) => name !== unknownReader).slice(0, mostNames),
      ...readers.filter(({ name }) => name === unknownReader),
    ];
    const shown = { readers: ranked, victims: victims.slice(0, mostNames) };
    const [rows, heads] = [namesOf(shown.readers), namesOf(shown.victims)];
    const pairs = new Map<string, Pair>();
    let rest = isFiltered(filter) ? 0 : sum(columns.map((column) => column.other_block_seconds));
    for (const block of blocks) {
      if (!rows.has(block.reader) || !heads.has(block.victim)) {
        rest += block.block_seconds;
        continue;
      }
      const key = pairKey(block.reader, block.victim);
      pairs.set(key, added(pairs.get(key), block));
    }
    return {
      ...shown,
      pairs,
      most: Math.max(0, ...Array.from(pairs.values(), (pair) => pair.seconds)),
      rest,
      observed: sum(columns.map((column) => column.observed_seconds)),
    };
  }

  /**
   * For a picture over time: a moment for each column there could be, those not observed too, and for each line an
   * amount a second at each moment, null where nothing was observed.
   */
  overTime(
    seconds: number,
    names: readonly string[],
    amount: (column: Column, name: string) => number,
  ): { readonly times: number[]; readonly lines: (number | null)[][] } {
    const byTime = new Map(this.within(seconds).map((column) => [Date.parse(column.at) / 1000, column]));
    const lastAt = this.#lastAt();
    if (lastAt === undefined) return { times: [], lines: names.map(() => []) };
    const end = lastAt / 1000;
    const length = Math.ceil(seconds / this.columnSeconds);
    const times = Array.from({ length }, (_, index) => end - (length - 1 - index) * this.columnSeconds);
    const lines = names.map((name) =>
      times.map((time) => {
        const column = byTime.get(time);
        return column === undefined || column.observed_seconds === 0
          ? null
          : amount(column, name) / column.observed_seconds;
      }),
    );
    return { times, lines };
  }

  /** Sums of what is counted of files, null where it is not observed. */
  files(seconds: number): ReadonlyMap<string, FileSums> {
    const sums = new Map<string, FileSums>();
    for (const { files } of this.within(seconds))
      for (const row of files) {
        const had = sums.get(row.file);
        sums.set(row.file, {
          opens: plus(had?.opens, row.opens),
          reads: plus(had?.reads, row.reads),
          retries: plus(had?.retries, row.retries),
          fallbacks: plus(had?.fallbacks, row.fallbacks),
          blocked: plus(had?.blocked, row.writers_blocked_seconds),
        });
      }
    return sums;
  }
}

export interface FileSums {
  readonly opens: number | null;
  readonly reads: number | null;
  readonly retries: number | null;
  readonly fallbacks: number | null;
  readonly blocked: number | null;
}

const plus = (had: number | null | undefined, more: number | null): number | null =>
  more === null ? (had ?? null) : (had ?? 0) + more;

const sum = (amounts: readonly number[]): number => amounts.reduce((all, amount) => all + amount, 0);

const namesOf = (named: readonly Named[]): ReadonlySet<string> => new Set(named.map(({ name }) => name));

const sumBy = (
  blocks: readonly Block[],
  of: (block: Block) => readonly [name: string, place: string | null],
): Named[] => {
  const sums = new Map<string, { name: string; place: string | null; seconds: number }>();
  for (const block of blocks) {
    const [name, place] = of(block);
    const had = sums.get(name);
    if (had === undefined) sums.set(name, { name, place, seconds: block.block_seconds });
    else had.seconds += block.block_seconds;
  }
  return [...sums.values()].sort((a, b) => b.seconds - a.seconds);
};

const added = (pair: Pair | undefined, block: Block): Pair => ({
  reader: block.reader,
  victim: block.victim,
  blocks: (pair?.blocks ?? 0) + block.blocks,
  seconds: (pair?.seconds ?? 0) + block.block_seconds,
  files: [...new Set([...(pair?.files ?? []), block.file])],
});
