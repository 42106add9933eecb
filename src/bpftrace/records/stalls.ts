/** What the lines of bpf/measures/stalls.bt mean: several for each stall, of which the one named `stall` is the last. */
import { operationOf } from '../../probes/operations.js';
import type { Stall, StallReader } from '../../records.js';
import type { KernelClock } from './kernel-clock.js';
import { fileOf, modeOf, namedOf } from './keys.js';
import type { MapRows } from './rows.js';

/** The map it prints, with the number of integers in its key. */
export const stallMaps = { '@untold': 1 } as const;

/** @untold: all is under the one key 0. */
export const untoldStalls = (rows: MapRows): number => Number(rows[0]?.value ?? 0);

/** Lines by their first word, with how many integers follow. */
const widths = { 'stalled-by': 7, 'stalled-now': 7, delayed: 7, stalled: 8, stall: 7 } as const;

type Word = keyof typeof widths;

/** Stalls whose last line has not come yet: programs that run on other CPUs print in between, and a line can be lost. */
const mostUnfinished = 64;

/** static_prio of nice 0, and its bounds (include/linux/sched/prio.h): what a process that is gone has there is none. */
const priorities = { nice0: 120, lowest: 100, highest: 139 } as const;

/** What was said so far, by the word of the line and the slot of the reader; who waited is under slot 0. */
type Unfinished = Readonly<Record<Exclude<Word, 'stall'>, Map<bigint, readonly bigint[]>>>;

export class StallLines {
  readonly #clock: Pick<KernelClock, 'at'>;
  readonly #unfinished = new Map<string, Unfinished>();

  constructor(clock: Pick<KernelClock, 'at'>) {
    this.#clock = clock;
  }

  /** Whether a line is one of these. */
  static has(text: string): boolean {
    return Object.hasOwn(widths, text.slice(0, Math.max(0, text.indexOf(' '))));
  }

  /**
   * Takes a line for which {@link has} is true.
   * @returns the stall, once its last line is there
   * @throws Error where the line is malformed: that stall is lost
   */
  accept(text: string): Stall | undefined {
    const [first = '', ...rest] = text.trimEnd().split(' ');
    const word = first as Word;
    if (rest.length !== widths[word] || !rest.every((number) => /^\d{1,20}$/.test(number)))
      throw new Error(`a line "${word}" that is not understood`);
    const numbers = rest.map(BigInt);
    const [tid = 0n, start = 0n, slot = 0n] = numbers;
    const key = `${tid} ${start}`;
    const unfinished = this.#of(key);
    if (word === 'stall') {
      this.#unfinished.delete(key);
      const waited = unfinished.stalled.get(0n);
      if (waited === undefined) throw new Error('a line "stall" of which the line "stalled" was lost');
      // It ended when it had lasted so long since it began.
      const [, , nanoseconds = 0n] = waited;
      return stallOf([...waited, ...numbers.slice(2)], unfinished, this.#clock.at(start + nanoseconds));
    }
    if (word === 'stalled') unfinished.stalled.set(0n, numbers);
    else unfinished[word].set(slot, numbers.slice(3));
    return undefined;
  }

  #of(key: string): Unfinished {
    const unfinished = this.#unfinished.get(key) ?? {
      'stalled-by': new Map(),
      'stalled-now': new Map(),
      delayed: new Map(),
      stalled: new Map(),
    };
    this.#unfinished.delete(key);
    this.#unfinished.set(key, unfinished);
    if (this.#unfinished.size > mostUnfinished)
      this.#unfinished.delete(this.#unfinished.keys().next().value as string);
    return unfinished;
  }
}

const stallOf = (
  [
    tid = 0n,
    start = 0n,
    ns = 0n,
    how = 0n,
    pid = 0n,
    name0 = 0n,
    name1 = 0n,
    cgroup = 0n,
    cause = 0n,
    blocked = 0n,
    span = 0n,
    queued = 0n,
    queuedNs = 0n,
  ]: readonly bigint[],
  { 'stalled-by': by, 'stalled-now': now, delayed }: Unfinished,
  at: number,
): Stall => {
  const mode = modeOf(how & 7n);
  return {
    kind: 'stall',
    at,
    cause: cause === 2n ? 'share' : 'wait',
    victim: { ...namedOf(name0, name1, cgroup), pid: Number(pid), tid: Number(tid) },
    mode,
    operation: operationOf(mode, Number((how >> 3n) & 255n), Number(how >> 11n) - 1),
    nanoseconds: Number(ns),
    blockedInWindow: { nanoseconds: Number(blocked), windowNanoseconds: Number(span) },
    readers: [...by].flatMap(
      ([slot, fields]) => readerOf([...fields, ...(now.get(slot) ?? [])], delayed.get(slot), start) ?? [],
    ),
    convoy: { count: Number(queued), nanoseconds: Number(queuedNs), longestQueue: Number(queued) },
  };
};

/** Undefined where the slot had no part in the wait. */
const readerOf = (
  [
    packed = 0n,
    name0 = 0n,
    name1 = 0n,
    cgroup = 0n,
    now = 0n,
    tid = 0n,
    tgid = 0n,
    prio = 0n,
  ]: readonly bigint[],
  delay: readonly bigint[] | undefined,
  start: bigint,
): StallReader | undefined => {
  const nanoseconds = Number(packed >> 4n);
  const file = fileOf(packed & 15n);
  if (file === undefined || nanoseconds === 0) return undefined;
  // Where the task is another one by now, or none, what was read from it is not this reader's.
  if (now !== name0)
    return {
      ...namedOf(name0, name1, cgroup),
      pid: undefined,
      tid: undefined,
      file,
      nanoseconds,
      nice: undefined,
      offCpuNanoseconds: undefined,
    };
  const priority = Number(prio);
  return {
    ...namedOf(name0, name1, cgroup),
    pid: Number(tgid),
    tid: Number(tid),
    file,
    nanoseconds,
    nice:
      priority >= priorities.lowest && priority <= priorities.highest
        ? priority - priorities.nice0
        : undefined,
    offCpuNanoseconds: delay === undefined ? undefined : offCpu(delay, start, nanoseconds),
  };
};

/** How long a reader was runnable without a CPU in its part of a wait; undefined where the begin of it is not known. */
const offCpu = (
  [now = 0n, begin = 0n, grantedAt = 0n, granted = 0n]: readonly bigint[],
  start: bigint,
  most: number,
): number | undefined => {
  const from = begin !== 0n ? begin : grantedAt > start ? granted : 0n;
  return from === 0n || now < from ? undefined : Math.min(most, Number(now - from));
};
