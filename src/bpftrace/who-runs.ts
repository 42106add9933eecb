/**
 * Who makes probes run: a program of its own counts the runs of the dearest probes for a second, by cgroup and user. It
 * runs only when something is about to be given up for its cost, for it takes a start of bpftrace.
 */
import type { Runs } from '../cost/cause.js';
import { MmaplockError } from '../errors.js';
import { printable } from '../text/printable.js';
import { confinement } from './confine.js';
import type { Dialect } from './decode/dialect.js';
import { decodeLine } from './decode/lines.js';
import { integerKey } from './decode/text.js';
import { childEnvironment } from './environment.js';
import { runBriefly, type Said } from './process/briefly.js';

export interface WhoRunsOptions {
  /** Of bpftrace. */
  readonly path: string;
  readonly dialect: Dialect;
  /** As they stand in a program: `tracepoint:lock:contention_begin`. */
  readonly probes: readonly string[];
  /** What bpftrace takes for the types of the kernel where no probe needs them: see SessionOptions. */
  readonly typesFile: string;
  /** What a start of bpftrace may take here. */
  readonly startSeconds: number;
  /** Ends it at once. */
  readonly signal: AbortSignal;
}

const mostOutputBytes = 2 * 2 ** 20;

/** Keys; what does not fit is not counted, and the largest come early. */
const mostKeys = 4096;

/** Each probe by its place in the list: a name would be a string of the kernel's memory for each run. */
export const whoRunsProgram = (probes: readonly string[]): string =>
  [
    ...probes.map((probe, index) => `${probe}\n{\n  @runs[${index}, cgroup, uid] = count();\n}\n`),
    `interval:s:${countSeconds}\n{\n  exit();\n}\n`,
  ].join('');

/** Seconds that it counts, and that the end of one probe may take: up to half a second each on many CPUs. */
const countSeconds = 1;
const endSeconds = 0.5;

const needsKernelTypes = /^(?:k(?:ret)?func|fentry|fexit):/;

/**
 * Counts for a second, with as few rights as the tracer has.
 * @throws MmaplockError `program_rejected`, with what bpftrace said
 */
export const countWhoRuns = async (options: WhoRunsOptions): Promise<readonly Runs[]> => {
  const { probes, dialect, typesFile, signal } = options;
  const types = probes.some((probe) => needsKernelTypes.test(probe)) ? undefined : typesFile;
  let said = await run(options, types);
  // As the tracer is started: where it cannot do with these types, with those of the kernel.
  if (said.failure !== undefined && types !== undefined && !said.timedOut && !signal.aborted)
    said = await run(options, undefined);
  if (said.failure !== undefined)
    throw new MmaplockError('program_rejected', `bpftrace did not count runs: ${printable(said.failure)}`);
  return said.stdout.split('\n').flatMap((text) => runsIn(text, probes, dialect));
};

const run = (
  { path, dialect, probes, startSeconds, signal }: WhoRunsOptions,
  typesFile: string | undefined,
): Promise<Said> =>
  runBriefly([...confinement(typesFile === undefined), path, '-f', 'json', '-'], {
    input: whoRunsProgram(probes),
    env: {
      ...childEnvironment(process.env),
      [dialect.mapKeysEnv]: String(mostKeys),
      ...(typesFile === undefined ? {} : { BPFTRACE_BTF: typesFile }),
    },
    timeoutMs: 1000 * (startSeconds + countSeconds + endSeconds * probes.length),
    mostBytes: mostOutputBytes,
    signal,
  });

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
