/**
 * From decoded lines to records: gathers the maps of one tick and, at its tick line, says what they mean.
 * A later fragment that prints a map of a new kind adds its meaning as a file beside wire-waits.ts.
 */
import { messageOf } from '../../errors.js';
import { tickWord } from '../../probes/program.js';
import type { Tick, TracerRecord, WriterStack } from '../../records.js';
import type { BpftraceLine } from '../decode/lines.js';
import type { Contents } from '../decode/maps.js';
import { integerKey } from '../decode/text.js';
import type { Value } from '../decode/value.js';
import {
  blockDurations,
  blockMaps,
  blockNames,
  blockRows,
  readerBlockRows,
  unblockedMaps,
  unblockedRows,
} from './blocks.js';
import {
  blockedTimeMaps,
  convoyMaps,
  convoyWaits,
  victimBlockedMaps,
  victimBlockedRows,
  victimConvoyRows,
  writersBlockedRows,
} from './convoys.js';
import { holdMaps, holdRows } from './holds.js';
import { KernelClock } from './kernel-clock.js';
import { fileOf, victimNames } from './keys.js';
import { procFileRows, readerMaps, readerNames, readerRows } from './readers.js';
import { refusalOf } from './refusals.js';
import type { HistogramRows, MapRows, TupleRows } from './rows.js';
import { stackMap, writerStacks } from './stacks.js';
import { StallLines, stallMaps, untoldStalls } from './stalls.js';
import { lockTakeRows, ownSeen, startMaps } from './start.js';
import { victimVmaWaitRows, vmaWaitMaps, vmaWaits } from './vma-waits.js';
import {
  endsMissedMaps,
  ongoingWaits,
  processNames,
  processRows,
  waitDurations,
  waitMaps,
  waitRows,
  waitTuples,
} from './waits.js';

const tickLine = new RegExp(`^${tickWord} (\\d{1,20})\\n?$`);

/** Of bpf/sources/reads-tracepoint.bt. */
const askedLine = /^asked (\d{1,10})\n?$/;

/** How many integers the key of each map has. Maps not named are working state and are passed over. */
const keyWidths: Readonly<Record<string, number>> = {
  ...waitMaps,
  ...endsMissedMaps,
  ...readerMaps,
  ...blockMaps,
  ...unblockedMaps,
  ...vmaWaitMaps,
  ...convoyMaps,
  ...blockedTimeMaps,
  ...victimBlockedMaps,
  ...stallMaps,
  ...holdMaps,
  ...startMaps,
};

/** Of maps of tuples, how many integers the key has, and the value. */
const tupleWidths: Readonly<Record<string, readonly [key: number, value: number]>> = waitTuples;

/** Maps whose keys end with the number of a proc file. */
const fileMaps = new Set(Object.keys({ ...readerMaps, ...blockMaps, ...blockedTimeMaps, ...holdMaps }));

export interface WireOptions {
  /** By the clock of the daemon. */
  readonly now: () => number;
  /** Milliseconds that nobody sets; as `now` unless told otherwise. */
  readonly monotonic?: () => number;
  /** The map written at a line of the program (from 1), if any. */
  readonly mapAt: (line: number) => string | undefined;
}

export class Wire {
  readonly #options: WireOptions;
  #maps = new Map<string, MapRows>();
  #tuples = new Map<string, TupleRows>();
  #histograms = new Map<string, HistogramRows>();
  #stacks: readonly WriterStack[] = [];
  #complete = true;
  #endsMissed = 0;
  readonly #names = {
    processes: processNames(),
    readers: readerNames(),
    blocks: blockNames(),
    vmaWaits: victimNames(),
    convoys: victimNames(),
    blocked: victimNames(),
  };
  readonly #clock: KernelClock;
  readonly #stalls: StallLines;

  constructor(options: WireOptions) {
    this.#options = options;
    this.#clock = new KernelClock(options.now, options.monotonic ?? options.now);
    this.#stalls = new StallLines(this.#clock);
  }

  /** What one line means; most mean something only once their tick is whole. */
  accept(line: BpftraceLine): TracerRecord[] {
    const at = this.#options.now();
    switch (line.type) {
      case 'map': {
        if (line.map === stackMap) return this.#keepStacks(line);
        const tuple = tupleWidths[line.map];
        return tuple === undefined
          ? this.#keep(line, this.#maps, integerOf)
          : this.#keep(line, this.#tuples, (value) => integersOf(value, tuple[1]), tuple[0]);
      }
      case 'hist':
        return this.#keep(line, this.#histograms, (buckets) =>
          buckets.map(({ floor, count }) => ({ floorMicroseconds: Number(floor), count })),
        );
      case 'printf': {
        const kernelNow = tickLine.exec(line.text)?.[1];
        if (kernelNow !== undefined) {
          const read = this.#clock.read(BigInt(kernelNow));
          return [...this.#missedEnds(read), this.#tick(read, BigInt(kernelNow))];
        }
        const asked = askedLine.exec(line.text)?.[1];
        if (asked !== undefined) return [{ kind: 'mark_asked', at, pid: Number(asked) }];
        return StallLines.has(line.text) ? this.#stall(line.text, at) : [];
      }
      case 'lost_events':
        return [{ kind: 'events_lost', at, events: line.events }];
      case 'helper_error':
        return refusalOf(line, this.#options.mapAt(line.line)?.slice(1) ?? 'unknown', at);
      case 'undecodable':
        return this.damaged(line.reason);
      case 'unknown':
        // Whole, and of none of the types in which maps come: nothing of the tick is in it.
        return [{ kind: 'undecodable', at, reason: `unknown line type ${line.typeName}` }];
      default:
        return [];
    }
  }

  /** Something of this tick could not be understood: its counts wait for the next one. */
  damaged(reason: string): TracerRecord[] {
    this.#complete = false;
    return [{ kind: 'undecodable', at: this.#options.now(), reason }];
  }

  /**
   * What bpftrace said after its last tick, which counts only if it ended in order.
   * @param at until when it saw, by the clock of the daemon
   */
  lastWords(at = this.#options.now()): TracerRecord[] {
    return this.#maps.size === 0 ? [] : [...this.#missedEnds(at), this.#tick(at, undefined)];
  }

  /** Keeps what a line says of a map until the tick is whole; all keys are integers. */
  #keep<T, V>(
    line: { readonly map: string } & Contents<T>,
    into: Map<string, readonly { readonly key: readonly bigint[]; readonly value: V }[]>,
    meaning: (value: T) => V,
    width = keyWidths[line.map],
  ): TracerRecord[] {
    const { map } = line;
    if (width === undefined) return [];
    const rows: { readonly key: readonly bigint[]; readonly value: V }[] = [];
    const told: TracerRecord[] = [];
    try {
      if (!line.keyed) throw new Error('expected keys');
      for (const [raw, value] of line.entries) {
        const key = keyOf(raw, width);
        const file = key.at(-1) as bigint;
        if (isFileOf(map, file)) rows.push({ key, value: meaning(value) });
        // The next tick would have it again: only this row is lost, and told.
        else
          told.push({ kind: 'undecodable', at: this.#options.now(), reason: `${map}: no proc file ${file}` });
      }
      into.set(map, rows);
      return told;
    } catch (error) {
      return this.damaged(`${map}: ${messageOf(error)}`);
    }
  }

  #keepStacks(line: Contents<Value>): TracerRecord[] {
    try {
      if (!line.keyed) throw new Error('expected keys');
      this.#stacks = writerStacks(
        Array.from(line.entries, ([key, value]) => [key, Number(integerOf(value))] as const),
      );
      return [];
    } catch (error) {
      return this.damaged(`${stackMap}: ${messageOf(error)}`);
    }
  }

  #stall(text: string, at: number): TracerRecord[] {
    try {
      const stall = this.#stalls.accept(text);
      return stall === undefined ? [] : [stall];
    } catch (error) {
      return [{ kind: 'undecodable', at, reason: messageOf(error) }];
    }
  }

  /** What a source of waits could not see the end of since the last tick. */
  #missedEnds(at: number): TracerRecord[] {
    const rows = this.#maps.get('@ends_missed') ?? [];
    const missed = rows.reduce((sum, { value }) => sum + Number(value), 0);
    const events = missed - this.#endsMissed;
    this.#endsMissed = missed;
    return events > 0 ? [{ kind: 'events_lost', at, events }] : [];
  }

  #tick(at: number, kernelNow: bigint | undefined): Tick {
    const rows = (name: string): MapRows => this.#maps.get(name) ?? [];
    const { processes, readers, blocks, vmaWaits: vmaWaited, convoys, blocked } = this.#names;
    const tick: Tick = {
      kind: 'tick',
      at,
      waits: waitRows(rows('@waits'), rows('@wait_ns')),
      processes: processRows(
        rows('@process_waits'),
        rows('@process_wait_ns'),
        rows('@process_pid'),
        processes,
      ),
      durations: waitDurations(this.#histograms.get('@wait_us') ?? []),
      ongoing: kernelNow === undefined ? [] : ongoingWaits(this.#tuples.get('@waiting') ?? [], kernelNow),
      procFiles: procFileRows(rows),
      readers: readerRows(rows, readers),
      blocks: blockRows(rows('@blocks'), rows('@block_ns')),
      blockDurations: blockDurations(this.#histograms.get('@block_us') ?? []),
      readerBlocks: readerBlockRows(rows('@reader_blocks'), rows('@reader_block_ns'), blocks),
      unblocked: unblockedRows(rows('@unblocked'), rows('@unblocked_ns')),
      vmaWaits: vmaWaits(rows('@vma_waits'), rows('@vma_wait_ns')),
      victimVmaWaits: victimVmaWaitRows(rows('@victim_vma_waits'), rows('@victim_vma_wait_ns'), vmaWaited),
      convoys: convoyWaits(rows('@convoy_waits'), rows('@convoy_wait_ns')),
      victimConvoys: victimConvoyRows(rows('@victim_convoy_waits'), rows('@victim_convoy_wait_ns'), convoys),
      writersBlocked: writersBlockedRows(rows('@writers_blocked_ns')),
      victimsBlocked: victimBlockedRows(rows('@victim_blocked_ns'), blocked),
      untoldStalls: untoldStalls(rows('@untold')),
      lockTakes: lockTakeRows(rows('@lock_path_takes'), rows('@lock_path_fills')),
      own: ownSeen(rows),
      holds: holdRows(rows('@holds'), rows('@held_ns')),
      writerStacks: this.#stacks,
      complete: this.#complete,
    };
    this.#maps = new Map();
    this.#tuples = new Map();
    this.#histograms = new Map();
    this.#stacks = [];
    this.#complete = true;
    return tick;
  }
}

/** Whether a key of this map may end so. Only blocks have 0: a file that is not known. */
const isFileOf = (map: string, file: bigint): boolean =>
  !fileMaps.has(map) || fileOf(file) !== undefined || (file === 0n && Object.hasOwn(blockMaps, map));

const keyOf = (raw: string, width: number): bigint[] => {
  const key = integerKey(raw, width);
  if (key === undefined) throw new Error(`expected a key of ${width} integers`);
  return key;
};

const integerOf = (value: Value): number | bigint => {
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))) return value;
  throw new Error('expected an integer value');
};

const integersOf = (value: Value, width: number): bigint[] => {
  if (!Array.isArray(value) || value.length !== width)
    throw new Error(`expected a tuple of ${width} integers`);
  return value.map((element: Value) => BigInt(integerOf(element)));
};
