/** Records of a host on which nothing stays: each tick tells of names, processes and cgroups that no tick told of before. */
import type { ProcessWaitRow, ReaderBlockRow, TracerRecord } from '../../src/records.js';
import {
  blockRow,
  ongoingWait,
  processRow,
  procFileRow,
  readerBlockRow,
  readerRow,
  stall,
  stallReader,
  tick,
  victimVmaWaitRow,
  waitRow,
} from './records.js';

/** New in each tick; those of the tick before are told of once more. */
const processesATick = 16;
const pairsATick = 10;
const incidentsATick = 2;
/** Rows of each map in the first tick of a tracer: as many mean that some were left out, also later. */
const firstRows = 500;

const nanoseconds = 20_000_000;

/** What a row tells in the tick after its first. */
const again = <Row extends { readonly count: number; readonly nanoseconds: number }>(row: Row): Row => ({
  ...row,
  count: 2 * row.count,
  nanoseconds: 2 * row.nanoseconds,
});

export interface Born {
  readonly pid: number;
  readonly name: string;
}

export class ChurnRecords {
  readonly #born: () => Born;
  #round = 0;
  /** Ticks of the tracer that runs. */
  #ticks = 0;
  #waits = 0;
  #blocks = 0;
  #processes: readonly ProcessWaitRow[] = [];
  #pairs: readonly ReaderBlockRow[] = [];

  /** @param born a process that lives from now on, for a while */
  constructor(born: () => Born) {
    this.#born = born;
  }

  /** A tracer ends for its maps are full, and the next one starts. */
  restart(at: number): TracerRecord[] {
    [this.#ticks, this.#waits, this.#blocks] = [0, 0, 0];
    [this.#processes, this.#pairs] = [[], []];
    return [
      { kind: 'tracer_stopped', at, reason: 'map_full', handedOver: true },
      { kind: 'tracer_started', at },
    ];
  }

  /** What comes up to the end of a tick, and with it. */
  next(at: number): TracerRecord[] {
    this.#round += 1;
    this.#ticks += 1;
    const first = this.#ticks === 1;
    const fresh = this.#newProcesses(first ? firstRows : processesATick);
    const freshPairs = this.#newPairs(first ? firstRows : pairsATick);
    const processes = [...this.#processes.map(again), ...fresh];
    const pairs = [...this.#pairs.map(again), ...freshPairs];
    [this.#processes, this.#pairs] = [fresh, freshPairs];
    this.#blocks += pairs.length;
    this.#waits += processes.length + pairs.length;
    const [waits, blocks] = [this.#waits, this.#blocks];
    const victims = pairs.map(({ victim, count }) =>
      victimVmaWaitRow(victim.name, count, count * nanoseconds, victim),
    );
    const total = { count: blocks, nanoseconds: blocks * nanoseconds };
    return [
      ...Array.from({ length: incidentsATick }, (_, index) => this.#stall(at - 100 + index)),
      tick(at, {
        waits: [waitRow('write', 'munmap', waits, waits * nanoseconds)],
        processes,
        durations: [{ mode: 'write', buckets: [{ floorMicroseconds: 16_384, count: waits }] }],
        ongoing: [ongoingWait('write', 'munmap', 0.2, { pid: this.#born().pid, tid: this.#round })],
        procFiles: [procFileRow('smaps', { opens: blocks, reads: 3 * blocks })],
        readers: pairs.map(({ reader, count }) =>
          readerRow(reader?.name ?? '', 'smaps', { opens: count, reads: 3 * count }),
        ),
        blocks: [blockRow('smaps', blocks, blocks * nanoseconds)],
        readerBlocks: pairs,
        vmaWaits: total,
        victimVmaWaits: victims,
        convoys: total,
        victimConvoys: victims,
        victimsBlocked: victims,
        writersBlocked: [{ file: 'smaps', nanoseconds: blocks * nanoseconds }],
        untoldStalls: this.#ticks,
      }),
      { kind: 'undecodable', at, reason: `line ${this.#round}` },
      { kind: 'undecodable', at, reason: `another line ${this.#round}` },
      { kind: 'map_overflow', at, map: 'waits', updates: 1 },
      { kind: 'events_lost', at, events: 1 },
    ];
  }

  #newProcesses(count: number): ProcessWaitRow[] {
    return Array.from({ length: count }, (_, index) => {
      const { pid: lastPid, name } = this.#born();
      return processRow(index % 2 === 0 ? name : `p${this.#round}-${index}`, 'write', 1, nanoseconds, {
        cgroupId: this.#cgroupId(index),
        lastPid,
      });
    });
  }

  #newPairs(count: number): ReaderBlockRow[] {
    return Array.from({ length: count }, (_, index) =>
      readerBlockRow(`r${this.#round}-${index}`, `v${this.#round}-${index}`, 'smaps', 1, nanoseconds, {
        victim: { name: `v${this.#round}-${index}`, cgroupId: this.#cgroupId(index) },
      }),
    );
  }

  /** Of a victim that never had one: it opens an incident. */
  #stall(at: number): TracerRecord {
    const [victim, reader] = [this.#born(), this.#born()];
    const cgroupId = this.#cgroupId(0);
    return stall(at, 4 * nanoseconds, {
      victim: { ...victim, cgroupId, tid: victim.pid },
      readers: [stallReader(reader.name, 'smaps', nanoseconds, { ...reader, cgroupId, tid: reader.pid })],
    });
  }

  #cgroupId(index: number): string {
    return String(10_000_000 + 1000 * this.#round + index);
  }
}
