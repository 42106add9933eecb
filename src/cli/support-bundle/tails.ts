/** The last of what goes by: what bpftrace says, and the ticks. Bounded, the oldest go first. */

import type { StreamHub } from '../../api/stream/hub.js';
import { bpftraceSays } from '../../bpftrace/process/stderr.js';
import type { LogStream } from '../../log/log.js';

const linesKept = 200;
const ticksKept = 60;

const keep = <Item>(items: Item[], item: Item, most: number): void => {
  items.push(item);
  if (items.length > most) items.shift();
};

export interface StderrLines {
  /** To be the stream of a log at debug and in JSON. */
  readonly stream: LogStream;
  readonly lines: readonly string[];
}

/** What bpftrace writes to standard error, of all that the daemon logs. One that repeats is there once. */
export const keepStderr = (): StderrLines => {
  const lines: string[] = [];
  const write = (line: string): void => {
    const { msg, bpftrace } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    if (msg === bpftraceSays && typeof bpftrace === 'string') keep(lines, bpftrace, linesKept);
  };
  return { stream: { write }, lines };
};

export interface KeptTicks {
  /** As the stream tells them, oldest first. */
  readonly ticks: readonly unknown[];
  stop(): void;
}

export const keepTicks = (stream: Pick<StreamHub, 'join'>): KeptTicks => {
  const ticks: unknown[] = [];
  const write = (bytes: Uint8Array): boolean => {
    const data = /^data: (.*)$/m.exec(Buffer.from(bytes).toString())?.[1];
    if (data !== undefined) keep(ticks, JSON.parse(data) as unknown, ticksKept);
    return true;
  };
  const seat = stream.join({ write, unsent: () => 0, cut: () => {} }, { types: new Set(['tick']) });
  return { ticks, stop: () => seat.leave() };
};
