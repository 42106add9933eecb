/** Starts what a configuration names, and proves that it sees events: what did not attach measures as free. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex, Readable, Writable } from 'node:stream';
import type { Dialect } from '../../src/bpftrace/decode/dialect.js';
import { runCanary } from '../../src/bpftrace/dialect.js';
import { findBpftrace } from '../../src/bpftrace/find.js';
import { track } from '../live/support/children.js';
import { startDaemon } from '../live/support/daemon.js';
import { watchLines } from '../live/support/lines.js';
import type { Start } from './configs.js';
import { programText } from './programs.js';

export interface Running {
  /** Ends it. Gives what proves that it ran until now; rejects where there is no proof. */
  stop(): Promise<string>;
}

const patience = Number(process.env.TEST_SLOWNESS ?? 1);

/** @throws Error that says why it does not run here */
export const start = async (what: Start): Promise<Running> => {
  switch (what.kind) {
    case 'nothing':
      return { stop: async () => 'nothing was started' };
    case 'daemon':
      return runDaemon(what.args);
    case 'program':
      return runBpftrace(await programText(what.args), /^tick \d+$/, await currentDialect());
    case 'inspect':
      return inspect();
    case 'perf':
      return runPerf();
    case 'bpftrace':
      return runBpftrace(what.text, /^@\[tracepoint:mmap_lock:\w+\]: [1-9]\d*$/);
  }
};

const runDaemon = async (args: readonly string[]): Promise<Running> => {
  const daemon = await startDaemon({ args });
  try {
    await daemon.ready(30);
  } catch (error) {
    await daemon.stop();
    throw error;
  }
  return {
    stop: async () => {
      const metrics = await daemon.metrics();
      const restarts = metrics.sum('mmaplock_tracer_restarts_total') ?? 0;
      const up = metrics.sum('mmaplock_tracer_up');
      const waits = metrics.sum('mmaplock_waits_total');
      await daemon.stop();
      if (up !== 1 || restarts !== 0) throw new Error(`tracer_up is ${up} after ${restarts} restarts`);
      return `ready, no restart, ${waits} waits`;
    },
  };
};

let dialect: Promise<Dialect & { readonly path: string }> | undefined;

const findDialect = async () => {
  const { path } = await findBpftrace({ env: process.env });
  return { ...(await runCanary([path])), path };
};

/** Of the bpftrace here, found once. */
const currentDialect = () => {
  dialect ??= findDialect();
  return dialect;
};

/** @param first a line that bpftrace prints only once its probes are attached */
const runBpftrace = async (
  text: string,
  first: RegExp,
  options?: Pick<Dialect, 'mapFullFlag' | 'mapKeysEnv'>,
): Promise<Running> => {
  const flags = options?.mapFullFlag ?? [];
  const keys = options === undefined ? {} : { [options.mapKeysEnv]: '4096' };
  const bpftrace = spawn('setpriv', ['--pdeathsig', 'KILL', 'bpftrace', ...flags, '-B', 'line', '-'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...keys },
  });
  track(bpftrace);
  const ended = once(bpftrace, 'close');
  (bpftrace.stdin as Writable).on('error', () => {}).end(text);
  const errors = watchLines(bpftrace.stderr as Readable, 'bpftrace');
  const said = watchLines(bpftrace.stdout as Readable, 'bpftrace');
  const refuse = async (error: Error) => {
    bpftrace.kill('SIGKILL');
    await ended;
    throw new Error(`${error.message}\n${errors.seen.slice(-5).join('\n')}`);
  };
  await within(120, said.match(first)).catch(refuse);
  const seen = said.seen.length;
  return {
    stop: async () => {
      // In a guest the loops may take less than the second from one line to the next: it still has to say it.
      await within(10, said.match(first, seen)).catch(() => {});
      const alive = bpftrace.exitCode === null && bpftrace.signalCode === null;
      bpftrace.kill('SIGINT');
      await ended;
      if (!alive) throw new Error(`bpftrace ended by itself: ${errors.seen.slice(-5).join(' ')}`);
      const more = said.seen.slice(seen).filter((line) => first.test(line));
      const attached = said.seen.find((line) => line.startsWith('Attaching')) ?? '';
      if (more.length === 0)
        throw new Error('bpftrace printed nothing while the loops ran, nor for 10 s after them');
      return `${attached} ${more.at(-1)}`.trim();
    },
  };
};

const inspect = async (): Promise<Running> => {
  const watch = await runDaemon([]);
  const stopWatch = async (error: Error) => {
    await watch.stop().catch(() => {});
    throw error;
  };
  const inspection = await start({ kind: 'program', args: ['--inspect'] }).catch(stopWatch);
  return {
    stop: async () => {
      const proofs = await Promise.all([inspection.stop(), watch.stop()]);
      return proofs.join('; ');
    },
  };
};

/** As a user runs it, into a file of a temporary folder. It says itself when its events are on. */
const runPerf = async (): Promise<Running> => {
  const folder = await mkdtemp(join(tmpdir(), 'bench-perf-'));
  const file = join(folder, 'perf.data');
  const control = ['-D', '-1', '--control', 'fd:3,4'];
  const perf = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', 'perf', 'lock', 'record', '-a', '-o', file, ...control],
    {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, LC_ALL: 'C' },
    },
  );
  track(perf);
  const ended = once(perf, 'close');
  const said = watchLines(perf.stderr as Readable, 'perf');
  const commands = perf.stdio[3] as Duplex;
  commands.on('error', () => {});
  commands.write('enable\n');
  const stopped = ended.then(() => Promise.reject(new Error(`perf ended: ${said.seen.join(' ')}`)));
  stopped.catch(() => {});
  try {
    await Promise.race([once(perf.stdio[4] as Duplex, 'data'), stopped]);
  } catch (error) {
    await rm(folder, { recursive: true });
    throw error;
  }
  return {
    stop: async () => {
      perf.kill('SIGINT');
      await ended;
      const { size } = await stat(file);
      await rm(folder, { recursive: true });
      const captured = said.seen.find((line) => line.includes('Captured and wrote'));
      if (captured === undefined || size === 0) throw new Error(`perf wrote nothing: ${said.seen.join(' ')}`);
      return captured.replace(` ${file}`, '').replace(/^\[ | \]$/g, '');
    },
  };
};

const within = async <T>(seconds: number, promise: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const limit = seconds * patience;
    timer = setTimeout(() => reject(new Error(`nothing within ${limit} s`)), limit * 1000);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
};
