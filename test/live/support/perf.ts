import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex, Readable } from 'node:stream';
import { track } from './children.js';
import { watchLines } from './lines.js';

/** One process with what it forks later, or every CPU. */
export type PerfTarget = { readonly pid: number } | { readonly everywhere: true };

export interface PerfCounter {
  /** Ends the count: contended rwsem acquisitions, most of them, but not all, of an mmap_lock. */
  stop(): Promise<number>;
}

const EVENT = 'lock:contention_begin';
// include/trace/events/lock.h: LCB_F_READ 2, LCB_F_WRITE 4. Alone they mean an rwsem.
const RWSEM_ONLY = 'flags==2 || flags==4';

/**
 * Counts contended rwsem acquisitions with perf, the kernel's own word on how many there were.
 * Resolves when the count has begun: perf is started with its event off, told to turn it on, and has said it did.
 * @throws if perf cannot count here; what it said is in the message
 */
export async function perfCount(target: PerfTarget): Promise<PerfCounter> {
  const scope = 'pid' in target ? ['-p', String(target.pid)] : ['-a'];
  const args = [
    'stat',
    '-x,',
    '-D',
    '-1',
    '--control',
    'fd:3,4',
    '-e',
    EVENT,
    '--filter',
    RWSEM_ONLY,
    ...scope,
  ];
  // Not execa: its further descriptors go one way only, and are read to the end.
  const perf = spawn('perf', args, {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  track(perf);
  const exited = once(perf, 'close');
  exited.catch(() => {});
  const output = watchLines(perf.stderr as Readable, 'perf');
  const control = perf.stdio[3] as Duplex;
  // perf may end with its target, before it has read the command.
  control.on('error', () => {});
  control.write('enable\n');
  await Promise.race([
    once(perf.stdio[4] as Duplex, 'data'),
    exited.then(() => Promise.reject(new Error(`perf did not start:\n${output.seen.join('\n')}`))),
  ]);
  return {
    async stop() {
      perf.kill('SIGINT');
      await exited;
      return parseCount(output.seen);
    },
  };
}

function parseCount(lines: readonly string[]): number {
  const count = lines.find((line) => line.includes(`,${EVENT},`))?.split(',')[0];
  // The target never ran while it was looked at.
  if (count === '<not counted>') return 0;
  if (count === undefined || !/^\d+$/.test(count))
    throw new Error(`perf gave no count:\n${lines.join('\n')}`);
  return Number(count);
}
