/** What real versions of bpftrace printed, recorded by golden/record.mjs. */
import { existsSync, readFileSync } from 'node:fs';
import type { Dialect } from '../../src/bpftrace/decode/dialect.js';
import { type BpftraceLine, decodeLine } from '../../src/bpftrace/decode/lines.js';
import { learnDialect } from '../../src/bpftrace/dialect.js';

/** The versions that were run. */
export const versions = ['0.17.0', '0.23.2', '0.27.0'] as const;
export type Version = (typeof versions)[number];

// seen from the built test, dist/test/bpftrace
const fileOf = (version: Version, name: string): URL =>
  new URL(`../../../test/bpftrace/golden/${version}/${name}`, import.meta.url);

/** Text of one recorded file. */
export const golden = (version: Version, name: string): string => readFileSync(fileOf(version, name), 'utf8');

/** Lines of one recorded file, without the empty one after the last newline. */
export const goldenLines = (version: Version, name: string): string[] =>
  golden(version, name).replace(/\n$/, '').split('\n');

/** Whether this case was recorded with this version. */
export const hasGolden = (version: Version, name: string): boolean => existsSync(fileOf(version, name));

/** The dialect of a version, learned from its recorded canary. */
export const dialectOf = (version: Version): Dialect =>
  learnDialect(goldenLines(version, 'canary.ndjson'), version);

/** A recorded standard output, decoded. */
export const decoded = (version: Version, name: string): BpftraceLine[] =>
  goldenLines(version, `${name}.ndjson`).map((line) => decodeLine(line, dialectOf(version)));
