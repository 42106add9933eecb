/** What a program of the daemon's keeps in its maps when those it watched are gone; run by bpftrace alone. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { execa } from 'execa';
import { onStackLimit } from '../../../src/bpftrace/process/session.js';
import { track } from './children.js';
import { runCli } from './daemon.js';
import { watchLines } from './lines.js';
import { collect, type WitnessMaps } from './witness.js';

/** limits.map_keys by default. */
const usualKeys = 4096;

/** A map by its name, its keys in the words of bpftrace's JSON: the parts of each with commas between them. */
type KeyedMap = Readonly<Record<string, unknown>>;

export interface Kept {
  readonly maps: WitnessMaps;
  /** Maps that no tick prints, for they are working state: found in the text, so that none is left out. */
  readonly working: readonly string[];
}

export interface Keeper {
  /** Ends it and gives what its maps held at the end. */
  stop(): Promise<Kept>;
}

/**
 * Starts bpftrace on the program that `mmaplockd dump-program` prints for these arguments, without what it prints: each
 * key that is read is a call of bpf(), and while it runs no probe does on that CPU (kernel/trace/bpf_trace.c).
 */
export const startKeeper = async (args: readonly string[] = [], keys = usualKeys): Promise<Keeper> => {
  const { stdout: program, exitCode, stderr } = await runCli(['dump-program', ...args]);
  assert.equal(exitCode, 0, stderr);
  const printed = [...program.matchAll(/^ {2}print\((@\w+)(?:, \d+)?\);$/gm)].map(([, map]) => map);
  const code = program.replace(/\/\/.*/g, '');
  const working = [...new Set(code.match(/@\w+/g))].filter((map) => !printed.includes(map));
  assert.ok(printed.length > 0 && working.length > 0, 'the program has maps of both kinds');
  const child = execa('bpftrace', ['-f', 'json', '-'], {
    input: program.replace(/^ {2}print\(.*\n/gm, ''),
    buffer: false,
    env: {
      BPFTRACE_MAP_KEYS_MAX: String(keys),
      BPFTRACE_MAX_MAP_KEYS: String(keys),
      BPFTRACE_ON_STACK_LIMIT: String(onStackLimit),
    },
    forceKillAfterDelay: 60_000,
  });
  track(child);
  child.catch(() => {});
  const out = watchLines(child.stdout, 'bpftrace');
  const said = watchLines(child.stderr, 'bpftrace');
  await out.match(/"tick \d+\\n"/).catch((error: Error) => {
    throw new Error(`it did not start:\n${said.seen.join('\n')}`, { cause: error });
  });
  return {
    stop: async () => {
      // bpftrace 0.17 forgets a signal that comes while it handles an event.
      const again = setInterval(() => child.kill('SIGTERM'), 200);
      child.kill('SIGTERM');
      await child.finally(() => clearInterval(again));
      // From 0.24 on what the compiler warns of stands among them, with lines of the program.
      return { maps: collect(out.seen.filter((line) => line.startsWith('{"type"'))), working };
    },
  };
};

const keyed = (map: unknown): KeyedMap | undefined =>
  typeof map === 'object' && map !== null && !Array.isArray(map) ? (map as KeyedMap) : undefined;

/**
 * Keys of working maps whose first part is no process or thread that lives, by map. Whoever adds a map keeps to that: it
 * is keyed by whom it is about, or it empties itself. 0 is no process: it stands for all.
 */
export const ofTheDead = ({ maps, working }: Kept): Record<string, readonly string[]> => {
  const found: Record<string, readonly string[]> = {};
  for (const name of working) {
    const dead = Object.keys(keyed(maps[name]) ?? {}).filter((key) => {
      const id = key.split(',')[0]?.trim();
      return id !== '0' && !existsSync(`/proc/${id}`);
    });
    if (dead.length > 0) found[`${name}: ${dead.length} keys`] = dead.slice(0, 5);
  }
  return found;
};

/** Slots of waits that go on. A slot is never deleted; that of a wait that has ended begins with 0. */
export const goingOn = ({ maps }: Kept): readonly unknown[] =>
  Object.values(keyed(maps['@waiting']) ?? {}).filter((slot) => (slot as readonly number[])[0] !== 0);

/** What a map that counts holds under those of its keys that begin with these parts; `*` is any. */
export const counted = ({ maps }: Kept, name: string, parts: readonly string[] = []): number =>
  Object.entries(keyed(maps[name]) ?? {})
    .filter(([key]) => {
      const all = key.split(',').map((part) => part.trim());
      return parts.every((part, index) => part === '*' || all[index] === part);
    })
    .reduce((sum, [, value]) => sum + Number(value), 0);
