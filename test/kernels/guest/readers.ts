/** Readers of a process that changes its address space, and of one that does not. */
import type { LockPath, ProcFile } from '../../../src/vocabulary.js';
import type { RunningDaemon } from '../../live/support/daemon.js';
import { runWorkload } from '../../live/support/workload.js';
import type { Entry } from './entry.js';
import { check, figure } from './report.js';
import { checkReads, type Reading, readAll, total } from './scenarios.js';

const writersArgs = ['--threads', '2', '--vmas', '300', '--seconds', '600'];

/** What a reader of a busy process must show, by how the kernel serves the file. */
const checkPath = (what: string, file: ProcFile, path: LockPath, reading: Reading): void => {
  const { retries, blocks } = reading;
  if (path === 'mmap_lock') {
    check(`${what}: its reader blocks writers`, blocks > 0, `${blocks} blocks`);
    if (file !== 'pagemap') check(`${what}: it does not retry`, retries === 0, `${retries} retries`);
  } else {
    check(`${what}: its reader has to retry under writers`, retries > 0, `${retries} retries`);
    const share = `${retries} retries in ${reading.truth.reads} reads`;
    check(`${what}: not at each read`, retries < reading.truth.reads, share);
  }
};

/** Each file that this kernel serves, read while two threads map and unmap; and maps in pieces. */
export const readBusyProcess = async (daemon: RunningDaemon, { expect }: Entry): Promise<void> => {
  const victim = 'wr-busy';
  const writers = await runWorkload('writers', [...writersArgs, '--name', victim]);
  await writers.ready;
  const { pid } = writers;
  const files = Object.entries(expect.paths) as [ProcFile, LockPath][];
  // Some ten retries or blocks even where an emulator has half a CPU.
  const whole = files.map(([file, path]) => ({
    file,
    pid,
    name: `rd-${file.slice(0, 11)}`,
    args: ['--seconds', path === 'mmap_lock' ? '2' : '4'],
  }));
  const pieces = ['readv', 'preadv'].map((call) => ({
    file: 'maps' as const,
    pid,
    name: `rd-${call}`,
    args: ['--seconds', '1', '--call', call, '--buffer', '4096', '--pieces', '4'],
  }));
  const { readings, metrics } = await readAll(daemon, [...whole, ...pieces], () => writers.stop());
  for (const [index, [file, path]] of files.entries()) {
    const reading = readings[index] as Reading;
    checkReads(file, reading);
    checkPath(file, file, path, reading);
    const seen = `${reading.truth.reads} reads, ${reading.retries} retries, ${reading.blocks} blocks`;
    figure(`${file} (${path})`, `${seen} of ${reading.blockSeconds.toFixed(2)} s`);
  }
  for (const [index, { name }] of pieces.entries())
    checkReads(`maps in four buffers (${name})`, readings[files.length + index] as Reading);
  const strangers = metrics
    .all('mmaplock_reader_block_seconds_total')
    .filter(({ value, labels }) => value > 0 && labels.victim !== victim)
    .filter(({ labels }) => !labels.victim?.startsWith('rd-'));
  const told = JSON.stringify(strangers.map(({ labels }) => labels));
  check('blocks: the victim is the process that was read', strangers.length === 0, told);
  const accounted = total(metrics, 'block_seconds_total') + total(metrics, 'unblocked_wait_seconds_total');
  const waited = total(metrics, 'wait_seconds_total');
  check(
    'blocks, ~unknown and unblocked waits are all waits, to the nanosecond',
    accounted.toFixed(9) === waited.toFixed(9),
    `${accounted} s and ${waited} s`,
  );
};

/**
 * Nobody changes the address space: nothing to retry, nobody to block.
 * @returns how many reads of maps were counted, those told as missed included
 */
export const readIdleProcess = async (daemon: RunningDaemon, tier: string): Promise<number> => {
  // Behind its gate a writer does nothing; it ends with all that is left over.
  const idle = await runWorkload('writers', ['--vmas', '300', '--seconds', '9'], { gate: true });
  await idle.ready;
  const tasks = (['maps', 'smaps'] as const).map((file) => ({
    file,
    pid: idle.pid,
    name: `${tier.slice(0, 5)}-${file}`,
    args: ['--passes', file === 'maps' ? '100' : '20'],
  }));
  const { readings } = await readAll(daemon, tasks);
  for (const [index, { file }] of tasks.entries()) {
    const reading = readings[index] as Reading;
    const what = `${file} of an idle process, by ${tier}`;
    checkReads(what, reading);
    const { retries, blocks } = reading;
    const told = `${retries} retries, ${blocks} blocks`;
    check(`${what}: no retry, no block`, retries === 0 && blocks === 0, told);
  }
  const [maps] = readings;
  return maps === undefined ? 0 : Math.min(maps.reads + maps.missed, maps.truth.reads);
};
