/** Hosts for pictures: made up, and told to a real ledger tick by tick as a tracer would. */
import type { ReaderBlockRow, Tick, WaitDurations } from '../../../src/records.js';
import type { ProcFile } from '../../../src/vocabulary.js';
import { epoch, FakeDaemon, type FakeDaemonOptions, failedTracer } from '../../support/daemon.js';
import {
  blockRow,
  processRow,
  procFileRow,
  readerBlockRow,
  readerRow,
  stall,
  stallReader,
  tick,
  unblockedRow,
  waitRow,
} from '../../support/records.js';

const ms = 1e6;
const quarterOfAnHour = 900;

/** Between 0 and 1, the same at each run. */
const randomFrom = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
};

interface Pair {
  readonly reader: string;
  readonly file: ProcFile;
  readonly victim: string;
  /** Nanoseconds of blocks at a second. */
  readonly at: (second: number, random: () => number) => number;
}

const lockPaths = [
  { file: 'maps', path: 'per_vma_lock', by: 'both', evidence: '' },
  { file: 'smaps', path: 'mmap_lock', by: 'both', evidence: '' },
  { file: 'smaps_rollup', path: 'mmap_lock', by: 'both', evidence: '' },
  { file: 'numa_maps', path: 'mmap_lock', by: 'both', evidence: '' },
  { file: 'pagemap', path: 'mmap_lock', by: 'evidence', evidence: '' },
  { file: 'clear_refs', path: 'mmap_lock', by: 'evidence', evidence: '' },
  { file: 'procmap_query', path: 'per_vma_lock', by: 'evidence', evidence: '' },
] as const;

const cost = {
  cpuSeconds: 31,
  residentBytes: 100 * 2 ** 20,
  mapBytes: 17 * 2 ** 20,
  misses: new Map(),
  probeRunSeconds: 3,
  probeCostRatio: 0.0031,
};

const daemonWith = (options: FakeDaemonOptions = {}): FakeDaemon =>
  new FakeDaemon({
    cost,
    lockPaths,
    kernel: { release: '6.18.44' },
    cgroups: {
      '4712': {
        path: '/system.slice/process-exporter.service',
        unit: 'process-exporter.service',
        containerId: undefined,
        podUid: undefined,
      },
    },
    ...options,
  });

/** How long waits are: most are short. */
const durationsOf = (counts: readonly number[]): WaitDurations['buckets'] =>
  counts.map((count, index) => ({ floorMicroseconds: 2 ** (index + 5), count }));

/** Tells a daemon of so many seconds with these pairs, beside waits that no reader is to blame for. */
const tell = (daemon: FakeDaemon, pairs: readonly Pair[], seconds = quarterOfAnHour): FakeDaemon => {
  const random = randomFrom(7);
  const blocked = pairs.map(() => ({ count: 0, nanoseconds: 0 }));
  const own = { mmap: 0, munmap: 0, page_fault: 0, brk: 0 };
  const counts = Array<number>(16).fill(0);
  let [reads, retries, wall] = [0, 0, 0];
  daemon.apply({ kind: 'tracer_started', at: epoch });
  for (let second = 1; second <= seconds; second += 1) {
    let sum = 0;
    for (const [index, pair] of pairs.entries()) {
      const nanoseconds = Math.round(pair.at(second, random));
      const total = blocked[index]!;
      total.nanoseconds += nanoseconds;
      if (nanoseconds > 0) total.count += Math.ceil(nanoseconds / (3 * ms));
      sum += nanoseconds;
    }
    wall += Math.min(sum * 0.6, 0.9e9);
    own.mmap += Math.round((4 + 3 * random()) * ms);
    own.munmap += Math.round((3 + 2 * Math.sin(second / 60) + random()) * ms);
    own.brk += Math.round(random() * ms);
    own.page_fault += Math.round((2 + random()) * ms + sum * 0.3);
    for (const [index, had] of counts.entries()) {
      const center = sum > 50 * ms && index > 5 ? 9 : 3;
      counts[index] = had + Math.round(60 * random() * Math.exp(-((index - center) ** 2) / 5));
    }
    reads += 900 + Math.round(300 * random());
    retries += Math.round(6 * random());
    daemon.apply(tickOf(epoch + second * 1000, { pairs, blocked, own, counts, reads, retries, wall }));
  }
  daemon.now = epoch + seconds * 1000;
  return daemon;
};

interface Sums {
  readonly pairs: readonly Pair[];
  readonly blocked: readonly { readonly count: number; readonly nanoseconds: number }[];
  readonly own: Readonly<Record<'mmap' | 'munmap' | 'page_fault' | 'brk', number>>;
  readonly counts: readonly number[];
  readonly reads: number;
  readonly retries: number;
  readonly wall: number;
}

const tickOf = (at: number, { pairs, blocked, own, counts, reads, retries, wall }: Sums): Tick => {
  const readerBlocks: ReaderBlockRow[] = pairs.map(({ reader, victim, file }, index) => {
    const { count, nanoseconds } = blocked[index]!;
    return readerBlockRow(reader, victim, file, count, nanoseconds, {
      reader: { name: reader, cgroupId: reader === 'process-exporte' ? '4712' : '4711' },
    });
  });
  const files = new Map<ProcFile, { count: number; nanoseconds: number }>();
  for (const [index, { file }] of pairs.entries()) {
    const sum = files.get(file) ?? { count: 0, nanoseconds: 0 };
    sum.count += blocked[index]!.count;
    sum.nanoseconds += blocked[index]!.nanoseconds;
    files.set(file, sum);
  }
  const all = blocked.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);
  const unblocked = own.mmap + own.munmap + own.brk;
  return tick(at, {
    waits: [
      waitRow('write', 'mmap', Math.round(own.mmap / ms), own.mmap + Math.round(all / 2)),
      waitRow('write', 'munmap', Math.round(own.munmap / ms), own.munmap + (all - Math.round(all / 2))),
      waitRow('write', 'brk', Math.round(own.brk / ms), own.brk),
      waitRow('read', 'page_fault', Math.round(own.page_fault / ms), own.page_fault),
    ],
    processes: [processRow('mysqld', 'write', Math.round(all / ms), all + unblocked)],
    durations: [{ mode: 'write', buckets: durationsOf(counts) }],
    procFiles: [
      procFileRow('maps', {
        opens: Math.round(reads / 30),
        reads,
        retries,
        fallbacks: Math.round(retries / 9),
      }),
      procFileRow('smaps', { opens: Math.round(reads / 60), reads: Math.round(reads / 2) }),
    ],
    readers: [
      readerRow('process-exporte', 'smaps', { opens: Math.round(reads / 60), reads: Math.round(reads / 2) }),
    ],
    blocks: Array.from(files, ([file, { count, nanoseconds }]) => blockRow(file, count, nanoseconds)),
    readerBlocks,
    unblocked: [
      unblockedRow('write', Math.round(unblocked / ms), unblocked),
      unblockedRow('read', Math.round(own.page_fault / ms), own.page_fault),
    ],
    writersBlocked: [{ file: 'smaps', nanoseconds: Math.round(wall) }],
  });
};

/** A database, and an agent that reads its smaps every 15 s. */
const agentAndDatabase: readonly Pair[] = [
  {
    reader: 'process-exporte',
    file: 'smaps',
    victim: 'mysqld',
    at: (second, random) => (second % 15 < 2 ? (180 + 90 * random()) * ms : 0),
  },
  {
    reader: 'atop',
    file: 'smaps_rollup',
    victim: 'mysqld',
    at: (second, random) => (second % 60 < 3 ? 60 * random() * ms : 0),
  },
  {
    reader: 'atop',
    file: 'smaps_rollup',
    victim: 'java',
    at: (second, random) => (second % 60 < 3 ? 90 * random() * ms : 0),
  },
  {
    reader: 'cadvisor',
    file: 'smaps',
    victim: 'java',
    at: (second, random) => (second > 500 && second % 20 < 3 ? 40 * random() * ms : 0),
  },
];

export const usualHost = (): FakeDaemon => {
  const daemon = tell(daemonWith(), agentAndDatabase);
  const at = daemon.now;
  return daemon.apply(
    stall(at - 40_000, 180 * ms, {
      readers: [stallReader('process-exporte', 'smaps', 171 * ms, { nice: 19, offCpuNanoseconds: 120 * ms })],
      convoy: { count: 41, nanoseconds: 900 * ms, longestQueue: 12 },
    }),
    tick(at + 1000),
  );
};

export const quietHost = (): FakeDaemon => tell(daemonWith(), []);

export const tracerDown = (): FakeDaemon => {
  const daemon = tell(daemonWith(), agentAndDatabase, 600);
  daemon.apply({ kind: 'tracer_stopped', at: daemon.now, reason: 'killed', handedOver: false });
  daemon.tracer = failedTracer(daemon.now);
  return daemon;
};

/** 50 readers by 50 victims. */
export const crowdedHost = (): FakeDaemon => {
  const pairs = Array.from({ length: 50 }, (_, reader) =>
    Array.from(
      { length: 50 },
      (_, victim): Pair => ({
        reader: `agent-${reader}`,
        file: 'smaps',
        victim: `worker-${victim}`,
        at: (second, random) =>
          (second + reader * 7 + victim * 3) % 97 === 0
            ? (40 * random() * ms) / (1 + Math.abs(reader - victim))
            : 0,
      }),
    ),
  ).flat();
  return tell(daemonWith(), pairs, 300);
};

/** Names that would be markup if a page did not take them as text: as many bytes as a comm may have. */
export const hostileNames = { reader: '<img src=x:y>', victim: '"><svg/onload=' } as const;

export const hostileHost = (): FakeDaemon => {
  const pair: Pair = { ...hostileNames, file: 'smaps', at: () => 50 * ms };
  const daemon = tell(daemonWith(), [pair], 60);
  return daemon.apply(
    stall(daemon.now - 20_000, 180 * ms, {
      victim: { name: hostileNames.victim, cgroupId: '4711', pid: 42, tid: 43 },
      readers: [stallReader(hostileNames.reader, 'smaps', 171 * ms)],
    }),
    tick(daemon.now + 1000),
  );
};
