/** What one tick brought: the event `tick` of the stream. Its members are those of the lists, of this tick alone. */
import { type Clock, isoTime } from '../../clock.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { BlockEntry, BlockFile } from '../../ledger/lists/block-list.js';
import type { ProcessEntry } from '../../ledger/lists/processes.js';
import type { ReaderEntry, ReadTotal } from '../../ledger/lists/reader-list.js';
import { Growth } from '../../ledger/slots/growth.js';
import type { ProbePlan } from '../../probes/plan.js';
import { type Observable, procFiles, unknown } from '../../vocabulary.js';
import { TopGrowth } from './top-growth.js';

export type TickSummary = ReturnType<TickSummaries['next']>;

const modes = ['read', 'write'] as const;
const files: readonly BlockFile[] = [...procFiles, unknown];

export class TickSummaries {
  readonly #ledger: Ledger;
  readonly #plan: () => ProbePlan;
  readonly #clock: Pick<Clock, 'timeOfDay'>;
  readonly #growth = new Growth();
  readonly #processes = new TopGrowth<ProcessEntry>({
    seenAt: ({ lastAt }) => lastAt,
    totals: ({ waits: { read, write } }) => [read.nanoseconds + write.nanoseconds, read.count + write.count],
  });
  readonly #readers = new TopGrowth<ReaderEntry>({
    seenAt: ({ lastSeenAt }) => lastSeenAt,
    totals: ({ opens, reads, retries }) => [opens + reads, opens, reads, retries],
  });
  readonly #blocks = new TopGrowth<BlockEntry>({
    seenAt: ({ lastSeenAt }) => lastSeenAt,
    totals: ({ nanoseconds, count }) => [nanoseconds, count],
  });
  #lastAt: number | undefined;

  constructor(ledger: Ledger, plan: () => ProbePlan, clock: Pick<Clock, 'timeOfDay'>) {
    this.#ledger = ledger;
    this.#plan = plan;
    this.#clock = clock;
  }

  /** What the ledger has taken since the summary before. @param at of the tick, by the clock of the daemon */
  next(at: number) {
    const seconds = this.#lastAt === undefined ? 0 : (at - this.#lastAt) / 1000;
    this.#lastAt = at;
    return {
      as_of: isoTime(this.#clock, at),
      /** Since the summary before; null for the first. */
      interval_seconds: seconds > 0 ? seconds : null,
      tracer_up: this.#ledger.tracer.up,
      waits: modes.map((mode) => this.#waits(mode)),
      files: files.map((file) => this.#file(file)).filter(isBusy),
      ...this.#tops(at),
    };
  }

  #waits(mode: (typeof modes)[number]) {
    const { waits } = this.#ledger;
    const totals = [...waits.totals.values()].filter((total) => total.mode === mode);
    const sum = (amount: 'count' | 'nanoseconds') => totals.reduce((all, total) => all + total[amount], 0);
    return {
      mode,
      waits: this.#growth.takeAll(`${mode} count`, sum('count')),
      wait_seconds: this.#growth.takeAll(`${mode} ns`, sum('nanoseconds')) / 1e9,
      ongoing: waits.ongoing.filter((wait) => wait.mode === mode).length,
      oldest_wait_seconds: waits.oldest(mode),
    };
  }

  #file(file: BlockFile) {
    const { readers, blocks } = this.#ledger;
    const read = file === unknown ? null : (readers.files.get(file) as ReadTotal);
    const blocked = blocks.files.get(file);
    const grown = (what: string, total = 0): number => this.#growth.takeAll(`${file} ${what}`, total);
    return {
      file,
      opens: read && this.#ifObserved('opens', grown('opens', read.opens)),
      reads: read && this.#ifObserved('reads', grown('reads', read.reads)),
      retries: read && this.#ifObserved('retries', grown('retries', read.retries)),
      blocks: this.#ifObserved('blocks', grown('blocks', blocked?.count)),
      block_seconds: this.#ifObserved('blocks', grown('ns', blocked?.nanoseconds) / 1e9),
    };
  }

  #tops(at: number) {
    const { waits, readers, blocks } = this.#ledger;
    return {
      processes: this.#processes
        .take(waits.list.entries(), at)
        .map(({ entry, grown: [ns = 0, count = 0] }) => ({
          process: entry.name,
          cgroup_id: entry.cgroupId,
          waits: count,
          wait_seconds: ns / 1e9,
        })),
      readers: this.#readers
        .take(readers.list.entries(), at)
        .map(({ entry, grown: [, opens = 0, reads = 0, retries = 0] }) => ({
          file: entry.file,
          reader: entry.name,
          cgroup_id: entry.cgroupId,
          opens: this.#ifObserved('opens', opens),
          reads: this.#ifObserved('reads', reads),
          retries: this.#ifObserved('retries', retries),
        })),
      blocks: this.#blocks.take(blocks.list.entries(), at).map(({ entry, grown: [ns = 0, count = 0] }) => ({
        file: entry.file,
        reader: entry.reader?.name ?? unknown,
        victim: entry.victim.name,
        blocks: count,
        block_seconds: ns / 1e9,
      })),
    };
  }

  #ifObserved(what: Observable, amount: number): number | null {
    return this.#plan().observables[what].observed ? amount : null;
  }
}

/** Whether any amount is not 0. */
const isBusy = (amounts: object): boolean => Object.values(amounts).some((amount) => amount > 0);
