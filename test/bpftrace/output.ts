/** The standard output of a tracer as src/bpftrace/process/session.ts reads it, from bytes to records, without a process. */

import type { Dialect } from '../../src/bpftrace/decode/dialect.js';
import { decodeLine } from '../../src/bpftrace/decode/lines.js';
import { LineSplitter } from '../../src/bpftrace/process/splitter.js';
import { Wire } from '../../src/bpftrace/records/tick.js';
import type { TracerRecord } from '../../src/records.js';

export interface Output {
  push(chunk: Buffer): void;
  end(): void;
  /** What was read since this was last called. */
  records(): readonly TracerRecord[];
}

/** @param longest most bytes in a line */
export const outputOf = (dialect: Dialect, at: number, longest: number): Output => {
  const wire = new Wire({ now: () => at, mapAt: () => '@waits' });
  let records: TracerRecord[] = [];
  const splitter = new LineSplitter(
    {
      onLine: (text) => {
        const line = decodeLine(text, dialect);
        if (line.type !== 'plain' && line.type !== 'attached_probes') records.push(...wire.accept(line));
      },
      onOverlong: (bytes) => records.push(...wire.damaged(`a line of ${bytes} bytes`)),
    },
    longest,
  );
  return {
    push: (chunk) => splitter.push(chunk),
    end: () => splitter.end(),
    records: () => {
      const taken = records;
      records = [];
      return taken;
    },
  };
};
