/**
 * How the bpftrace at hand writes its output and takes its options, found by what it does: distributions patch
 * and backport, so a version says too little. One tiny program prints known values.
 */
import { systemClock } from '../clock.js';
import { MmaplockError } from '../errors.js';
import { printable, quoted } from '../text/printable.js';
import type { Dialect } from './decode/dialect.js';
import { integerKey } from './decode/text.js';
import { childEnvironment, type Environment } from './environment.js';
import { readVersion, requireSupported } from './find.js';
import { runBriefly } from './process/briefly.js';
import { ofHost, StderrTail } from './process/stderr.js';

/** What the canary wants in its environment: two bounds, so that the size of a map tells which name was heeded. */
export const canaryEnvironment = { BPFTRACE_MAP_KEYS_MAX: '7', BPFTRACE_MAX_MAP_KEYS: '9' } as const;
const moreKeysThanEither = 12;

/**
 * The canary: assigns, then exits; bpftrace prints all maps at its end. No BEGIN or END, which fail on stripped
 * builds (bpftrace #2292). Should the probe fire again before the exit is obeyed, nothing changes.
 */
export const canaryProgram = `interval:ms:1 {
  @pair[1, -2] = 1;
  @space["a b"] = 1;
  @parentheses["(p)"] = 1;
  @quote["\\""] = 1;
  @byte["\u00e9"] = 1;
  @big = 9007199254740993;
  @wide = hist(1099511627776);
  $i = 0;
  unroll(${moreKeysThanEither}) { @full[$i] = 1; $i = $i + 1; }
  exit();
}
`;

/**
 * The dialect behind the output of the canary.
 *
 * @param lines standard output of the canary, run without -k and with `canaryEnvironment`
 * @throws MmaplockError `canary_failed` when a map is missing or holds what no known version prints
 */
export const learnDialect = (lines: readonly string[], version: string): Dialect => {
  const { maps, mapFullShows, countsAttached } = readAnswers(lines);
  const keys = (map: string): string[] => Object.keys(objectOf(maps.get(map)));
  const key = (map: string): string => keys(map)[0] ?? '';
  const pair = integerKey(key('@pair'), 2)?.join();
  if (pair !== '1,-2') throw unexpected('integer keys', key('@pair'));
  return {
    version,
    spacesInKeys: oneOf('spaces in keys', key('@space'), { 'a b': true, ab: false }),
    parenthesesInKeys: oneOf('parentheses in keys', key('@parentheses'), { '(p)': true, p: false }),
    keyEscapes: oneOf('escapes in keys', key('@quote'), { '"': 'once', '\\"': 'twice' }),
    highBytes: oneOf('bytes over 0x7f', key('@byte'), {
      '\u00e9': 'exact',
      '\uffffffc3\uffffffa9': 'sign_extended',
      '\\uffffffc3\\uffffffa9': 'sign_extended',
    }),
    bigIntegers: oneOf('big integers', typeof maps.get('@big'), { number: 'number', string: 'string' }),
    wideHist: oneOf('hist of 2^40', String(onlyFloor(maps.get('@wide'))), {
      1099511627776: 'exact',
      '-2147483648': 'capped',
    }),
    mapFullFlag: mapFullShows ? [] : ['-k'],
    mapKeysEnv: oneOf('keys of a full map', String(keys('@full').length), {
      [canaryEnvironment.BPFTRACE_MAP_KEYS_MAX]: 'BPFTRACE_MAP_KEYS_MAX',
      [canaryEnvironment.BPFTRACE_MAX_MAP_KEYS]: 'BPFTRACE_MAX_MAP_KEYS',
    }),
    attachedCount: countsAttached ? 'attached' : 'wanted',
  };
};

interface Answers {
  /** Contents of each map, as JSON has it. */
  readonly maps: ReadonlyMap<string, unknown>;
  readonly mapFullShows: boolean;
  readonly countsAttached: boolean;
}

/**
 * A byte over 0x7f in a key leaves the output of 0.27 in hexadecimal: a probe that fired eleven times before its exit
 * was obeyed has a bucket of b (seen in slow guests). The count tells nothing here, and no other program of ours has
 * such a key.
 */
const hexadecimalCount = /"count": [0-9a-f]+(?=[,}])/g;

// decodeLine needs the dialect that is to be found here
const readAnswers = (lines: readonly string[]): Answers => {
  const objects = lines
    .filter((line) => line.startsWith('{'))
    .map((line) => objectOf(parsed(line.replace(hexadecimalCount, '"count": 1'))));
  return {
    maps: new Map(objects.flatMap(({ data }) => Object.entries(objectOf(data)))),
    mapFullShows: objects.some(({ type, helper }) => type === 'helper_error' && helper === 'map_update_elem'),
    countsAttached: objects.some(({ type, count }) => type === 'attached_probes' && count !== undefined),
  };
};

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
};

const objectOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {};

const onlyFloor = (histogram: unknown): unknown =>
  Array.isArray(histogram) && histogram.length === 1 ? objectOf(histogram[0]).min : undefined;

const oneOf = <T>(what: string, answer: string, known: Readonly<Record<string, T>>): T => {
  if (!Object.hasOwn(known, answer)) throw unexpected(what, answer);
  return known[answer]!;
};

const unexpected = (what: string, answer: string): MmaplockError =>
  new MmaplockError('canary_failed', `no known way of bpftrace to print ${what}: ${quoted(answer)}`);

/** A minute: it is what other starts are held against, and has nothing to be held against itself. */
const canaryTimeoutMs = 60_000;
const mostOutputBytes = 64 * 1024;

/**
 * Runs the canary and learns the dialect from it: one start of bpftrace, 0.3 to 0.9 s, a minute at most.
 *
 * @param command bpftrace by its path, with whatever it is wrapped in
 * @param options.version as findBpftrace() has read it: asking again takes 0.1 s
 * @throws MmaplockError `canary_failed` (with what bpftrace said), `not_root`, `bpftrace_missing`,
 *   `bpftrace_unsupported` (before 0.17)
 */
export const runCanary = async (
  command: readonly string[],
  options: {
    readonly env?: Environment;
    readonly timeoutMs?: number;
    readonly version?: string;
    /** Ends it at once. */
    readonly signal?: AbortSignal | undefined;
  } = {},
): Promise<Dialect> => {
  const { env = process.env, timeoutMs: timeout = canaryTimeoutMs, signal } = options;
  const version = options.version ?? (await readVersion(command, env, signal));
  requireSupported(version, command.at(-1) ?? '');
  const startedAt = systemClock.monotonic();
  const { stdout, failure, timedOut } = await runBriefly([...command, '-f', 'json', '-'], {
    input: canaryProgram,
    env: { ...childEnvironment(env), ...canaryEnvironment },
    timeoutMs: timeout,
    mostBytes: mostOutputBytes,
    signal,
  });
  const startMilliseconds = Math.round(systemClock.monotonic() - startedAt);
  if (failure === undefined) return { ...learnDialect(stdout.split('\n'), version), startMilliseconds };
  if (timedOut) throw new MmaplockError('canary_failed', `bpftrace ${version} did not end in ${timeout} ms`);
  const said = new StderrTail();
  for (const line of failure.split('\n')) said.push(line);
  const known = said.firstError?.code;
  const code = known !== undefined && ofHost.has(known) ? known : 'canary_failed';
  throw new MmaplockError(code, `bpftrace ${version}: ${printable(said.reason)}`);
};
