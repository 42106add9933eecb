/** Tells the host what was seen: one line of JSON for each thing, over a serial port of their own. */
import { closeSync, openSync, writeSync } from 'node:fs';

const port = '/dev/ttyS1';

/** Synchronous: what was said before a crash is on the host. */
const write = (record: Readonly<Record<string, unknown>>): void => {
  const line = Buffer.from(`${JSON.stringify(record)}\n`);
  const descriptor = openSync(port, 'w');
  try {
    for (let sent = 0; sent < line.length; ) sent += writeSync(descriptor, line, sent);
  } finally {
    closeSync(descriptor);
  }
};

/** What the table says of this kernel. */
export type Fact = 'release' | 'bpftrace' | 'maps';

/** For a column of the table: `maps` is the lock path of that file. */
export const fact = (name: Fact, value: string): void => write({ fact: name, value });

/** One assertion. The detail of a failure is what a person needs to understand it. */
export const check = (name: string, ok: boolean, detail = ''): void => write({ name, ok, detail });

/** What cannot be tested on this kernel, and why. */
export const skip = (name: string, reason: string): void => write({ skip: name, reason });

/** A measured value, to be shown with the results. */
export const figure = (name: string, value: string): void => write({ figure: name, value });

/** A remark, to be shown with the results. */
export const note = (text: string): void => write({ note: text });

/** From now on the seconds are of this part of the tests: see parts.ts. */
export const part = (name: string): void => write({ part: name });

/** A file for the host to keep, as dist/kernels/KERNEL.FILE. */
export const log = (file: string, text: string): void => write({ log: text, file });

/** All tests have run; without it the guest counts as failed. */
export const done = (): void => write({ done: true });
