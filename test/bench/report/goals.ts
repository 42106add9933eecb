/**
 * The goals, as data: how each is measured, and why one that is missed is missed. A reason stands here once it is known;
 * the table shows it only while the goal is missed.
 */
import type { LoopName } from '../loops.js';
import type { Cell, Results } from '../results.js';
import { cellIn } from '../results.js';
import { type Spread, spreadOf } from '../statistics.js';

export interface Goal {
  readonly id: string;
  /** `guest`: held against each guest with function probes; `host`: against a host with tracepoints alone. */
  readonly on: 'host' | 'guest';
  readonly text: string;
  readonly limit: number;
  readonly bound: 'at most' | 'at least';
  readonly unit: '%' | 'ns' | 'x' | 'times';
  /** Undefined where what it needs was not measured. Of several loops the worst. */
  readonly measure: (results: Results) => Measure | undefined;
  /** What would be better still. */
  readonly stretch?: number;
  readonly why?: string;
}

export interface Measure {
  readonly spread: Spread;
  /** Which loop it is, where there are several. */
  readonly loop?: LoopName;
  /** All of them, where there are several. */
  readonly byLoop?: readonly { readonly loop: LoopName; readonly spread: Spread }[];
}

const scaled = ({ median, lower, upper }: Spread, scale: (value: number) => number): Spread => ({
  median: scale(median),
  lower: scale(lower),
  upper: scale(upper),
});

/** The worst of some loops under a configuration, by what is measured in a cell. */
const worst =
  (column: string, names: readonly LoopName[] | undefined, of: (cell: Cell) => Spread) =>
  (results: Results): Measure | undefined => {
    const all = Object.keys(results.off) as LoopName[];
    const found = (names ?? all).flatMap((loop) => {
      const cell = cellIn(results, column, loop);
      return cell === undefined ? [] : [{ loop, spread: of(cell) }];
    });
    const [most] = found.toSorted((a, b) => b.spread.median - a.spread.median);
    return most === undefined ? undefined : { ...most, byLoop: found };
  };

const percent = ({ ratio }: Cell): Spread => scaled(ratio, (value) => (value - 1) * 100);
const ratio = (cell: Cell): Spread => cell.ratio;
const added = (cell: Cell): Spread => cell.added;

const contendedLoops: readonly LoopName[] = ['contended', 'contended_touch'];

/** mmap and munmap are two. */
const acquisitionsOfMmap = 2;

/** What retries add to one acquisition: watch mode with them less watch mode without, round by round. */
const retriesByAcquisition = (results: Results): Measure | undefined => {
  const [all, without] = [cellIn(results, 'watch', 'mmap'), cellIn(results, 'retries_off', 'mmap')];
  if (all === undefined || without === undefined) return undefined;
  const rounds = all.pairs.flatMap(({ round, on, off }) => {
    const other = without.pairs.find((pair) => pair.round === round);
    return other === undefined ? [] : [(on - off - (other.on - other.off)) / acquisitionsOfMmap];
  });
  return rounds.length === 0 ? undefined : { spread: spreadOf(rounds) };
};

/** What is added below this cannot be told from nothing; without it a quotient could be anything. */
const leastAdded = 0.005;

/**
 * How many times what `perf lock record -a` adds is what a configuration adds, on the contended loop that perf slows
 * more: where the threads only spin for each other, perf has nothing to record.
 */
const cheaperThanPerf =
  (column: string) =>
  (results: Results): Measure | undefined => {
    const byPerf = worst('perf', contendedLoops, ratio)(results);
    if (byPerf?.loop === undefined) return undefined;
    const ours = cellIn(results, column, byPerf.loop);
    if (ours === undefined) return undefined;
    const addedBy = Math.max(ours.ratio.median - 1, leastAdded);
    return { loop: byPerf.loop, spread: scaled(byPerf.spread, (value) => (value - 1) / addedBy) };
  };

export const goals: readonly Goal[] = [
  {
    id: 'functions',
    on: 'guest',
    text: 'with function probes, watch mode on the worst of all loops',
    limit: 1,
    bound: 'at most',
    unit: '%',
    measure: worst('watch', undefined, percent),
    why: 'seq_read() serves /proc/PID/stat as well as maps, and a reader pays for being counted; threads that contend pay for the measure of their waits.',
  },
  {
    id: 'waits',
    on: 'host',
    text: 'waits alone on getppid, read, mmap and page faults',
    limit: 1,
    bound: 'at most',
    unit: '%',
    measure: worst('waits', ['getppid', 'read', 'mmap', 'fault'], percent),
    why: 'no probe of waits is in the way of these loops, for only contention fires them: it is noise of the host.',
  },
  {
    id: 'waits-contended',
    on: 'host',
    text: 'waits alone on the contended loops',
    limit: 4,
    bound: 'at most',
    unit: '%',
    measure: worst('waits', contendedLoops, percent),
  },
  {
    id: 'reads-others',
    on: 'host',
    text: 'proc reads (`--retries off`) on a system call that is no read',
    limit: 35,
    bound: 'at most',
    unit: 'ns',
    measure: worst('retries_off', ['getppid'], added),
    why: 'one tracepoint of a system call sends every system call of every process through the slow way out of the kernel.',
  },
  {
    id: 'reads-read',
    on: 'host',
    text: 'proc reads (`--retries off`) on a read()',
    limit: 350,
    bound: 'at most',
    unit: 'ns',
    measure: worst('retries_off', ['read', 'read_marked'], added),
    why: 'each read() of whatever file ends in the probe, which looks up whether its process is marked.',
  },
  {
    id: 'retries',
    on: 'host',
    text: 'retries on one acquisition of mmap_lock (half of what they add to mmap and munmap)',
    limit: 400,
    bound: 'at most',
    unit: 'ns',
    measure: retriesByAcquisition,
    why: "the tracepoint fires at every acquisition of any mmap_lock, and the probe has to see that it is nobody else's.",
  },
  {
    id: 'retries-contended',
    on: 'host',
    text: 'watch mode with retries on the contended loops',
    limit: 1.4,
    bound: 'at most',
    unit: 'x',
    measure: worst('watch', contendedLoops, ratio),
    why: 'the probe at every acquisition lengthens what is already a queue.',
  },
  {
    id: 'reader',
    on: 'host',
    text: 'the reader of maps itself, in watch mode',
    limit: 5,
    bound: 'at most',
    unit: '%',
    measure: worst('watch', ['maps'], percent),
    why: 'each of its reads is counted by file, reader and target; a read() of 4 KiB of maps is short.',
  },
  {
    id: 'perf',
    on: 'host',
    text: 'watch mode adds less to the contended loop than `perf lock record -a`',
    limit: 5,
    bound: 'at least',
    stretch: 10,
    unit: 'times',
    measure: cheaperThanPerf('watch'),
    why: 'retries put a probe on every acquisition of any mmap_lock, perf only on contended ones: the next row compares like with like, and `--retries off` is the switch.',
  },
  {
    id: 'perf-waits',
    on: 'host',
    text: 'the same for waits alone, which is what perf records',
    limit: 5,
    bound: 'at least',
    stretch: 10,
    unit: 'times',
    measure: cheaperThanPerf('waits'),
  },
];
