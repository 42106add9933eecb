/**
 * Who makes probes run: a program of its own counts the runs of the dearest probes for a second, by cgroup and user. It
 * runs only when something is about to be given up for its cost, for it takes a start of bpftrace.
 */
import type { Runs } from '../cost/cause.js';
import { MmaplockError } from '../errors.js';
import { printable } from '../printable.js';
import { runBriefly } from './briefly.js';
import type { Dialect } from './dialect.js';
import { childEnvironment } from './find.js';
import { decodeLine, integerKey } from './lines.js';

export interface WhoRunsOptions {
  /** Of bpftrace. */
  readonly path: string;
  readonly dialect: Dialect;
  /** As they stand in a program: `tracepoint:lock:contention_begin`. */
  readonly probes: readonly string[];
  readonly timeoutMs: number;
}

const mostOutputBytes = 2 * 2 ** 20;

/** Keys; what does not fit is not counted, and the largest come early. */
const mostKeys = 4096;

/** Each probe by its place in the list: a name would be a string of the kernel's memory for each run. */
export const whoRunsProgram = (probes: readonly string[]): string =>
  [
    ...probes.map((probe, index) => `${probe}\n{\n  @runs[${index}, cgroup, uid] = count();\n}\n`),
    'interval:s:1\n{\n  exit();\n}\n',
  ].join('');

/**
 * Counts for a second.
 * @throws MmaplockError `program_rejected`, with what bpftrace said
 */
export const countWhoRuns = async ({
  path,
  dialect,
  probes,
  timeoutMs,
}: WhoRunsOptions): Promise<readonly Runs[]> => {
  const { stdout, failure } = await runBriefly([path, '-f', 'json', '-'], {
    input: whoRunsProgram(probes),
    env: { ...childEnvironment(process.env), [dialect.mapKeysEnv]: String(mostKeys) },
    timeoutMs,
    mostBytes: mostOutputBytes,
  });
  if (failure !== undefined)
    throw new MmaplockError(
      'program_rejected',
      `who makes the probes run is not known: ${printable(failure)}`,
    );
  return stdout.split('\n').flatMap((text) => runsIn(text, probes, dialect));
};

const runsIn = (text: string, probes: readonly string[], dialect: Dialect): Runs[] => {
  const line = decodeLine(text, dialect);
  if (line.type !== 'map' || line.map !== '@runs' || !line.keyed) return [];
  return [...line.entries].flatMap(([key, value]): Runs[] => {
    const [index, cgroupId, uid] = integerKey(key, 3) ?? [];
    const probe = probes[Number(index)];
    return probe === undefined || cgroupId === undefined || uid === undefined || typeof value === 'object'
      ? []
      : [{ probe, cgroupId: String(BigInt.asUintN(64, cgroupId)), uid: Number(uid), count: Number(value) }];
  });
};
