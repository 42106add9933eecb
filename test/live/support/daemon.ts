/** The built daemon as a user runs it, for live tests: started as a process, asked over HTTP, ended by signal. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { track } from './children.js';
import { eventually, patience, slowness, within } from './patience.js';

export const packageRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../..');
export const mainFile = path.join(packageRoot, 'dist/src/main.js');

/** One sample of /metrics. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export class Metrics {
  readonly text: string;
  readonly samples: readonly Sample[];

  constructor(text: string) {
    this.text = text;
    this.samples = text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
        return {
          name: name as string,
          labels: Object.fromEntries(
            Array.from(labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g), ([, key, text]) => [key, text]),
          ) as Record<string, string>,
          value: Number(value),
        };
      });
  }

  all(name: string, labels: Readonly<Record<string, string>> = {}): readonly Sample[] {
    return this.samples.filter(
      (sample) =>
        sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    );
  }

  /** The sum over all series that match; undefined when none does. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const found = this.all(name, labels);
    return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
  }
}

export interface Answer<T> {
  readonly status: number;
  readonly body: T;
}

export interface Readiness {
  readonly ready: boolean;
  readonly problems: readonly { readonly code: string; readonly message: string; readonly fix: string }[];
}

/** Why a request on a connection failed that the other side has closed. */
const isClosed = (cause: unknown): boolean =>
  ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(String((cause as { code?: unknown } | undefined)?.code));

type LogRecord = Readonly<Record<string, unknown>> & { readonly msg?: string };

export interface RunningDaemon {
  readonly pid: number;
  readonly url: string;
  readonly log: readonly LogRecord[];
  /** The request that waited longest for its answer, or to its limit. */
  readonly longest: { readonly route: string; readonly milliseconds: number };
  get<T>(route: string): Promise<Answer<T>>;
  metrics(): Promise<Metrics>;
  /** Resolves once a condition on /metrics and /-/ready holds; rejects after `seconds` with what it saw last. */
  until(
    what: string,
    holds: (metrics: Metrics, ready: Answer<Readiness>) => boolean,
    seconds?: number,
  ): Promise<Metrics>;
  ready(seconds?: number): Promise<Metrics>;
  tracerPid(): Promise<number>;
  /** All ticks that were under way when this is called have been counted. */
  settled(): Promise<Metrics>;
  /** Ends it as systemd does; gives its exit code. */
  stop(): Promise<number | undefined>;
  kill(): Promise<void>;
}

export interface DaemonOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What to put before `node`, such as unshare and its arguments. */
  readonly wrap?: readonly string[];
  /** A free one unless told otherwise. */
  readonly port?: number;
}

/** Starts a daemon on a free port; resolves once it serves. */
export const startDaemon = async ({
  args = [],
  env = {},
  wrap = [],
  port = 0,
}: DaemonOptions = {}): Promise<RunningDaemon> => {
  const [file = process.execPath, ...rest] = [
    ...wrap,
    process.execPath,
    mainFile,
    'run',
    `--web.listen-address=127.0.0.1:${port}`,
    '--allow-second',
    '--log.format=json',
    ...args,
  ];
  // On a slow machine a test can last long enough for its load to be told as too dear.
  const unbudgeted = { MMAPLOCKD_COST_BUDGET_PERCENT: '0', ...env };
  const child = execa(file, rest, {
    env: unbudgeted,
    reject: false,
    buffer: false,
    stdin: 'ignore',
    stdout: 'ignore',
  });
  track(child);
  const log: LogRecord[] = [];
  const noise: string[] = [];
  const serving = new Promise<string>((resolve, reject) => {
    (async () => {
      for await (const line of child.iterable({ from: 'stderr' })) {
        if (!line.startsWith('{')) {
          noise.push(line);
          continue;
        }
        const record = JSON.parse(line) as LogRecord;
        log.push(record);
        if (record.msg === 'serving') resolve(String(record.urls).split(' ')[0] as string);
      }
      reject(new Error(`the daemon ended before it served: ${noise.join('\n')} ${JSON.stringify(log)}`));
    })().catch(reject);
  });
  const url = await serving;
  const pid = log.find(({ msg }) => msg === 'serving')?.pid as number;
  // It is signalled by that number: in a pid namespace of its own the daemon is 1, and here somebody else is.
  if (pid === 1) throw new Error('startDaemon() cannot start a daemon in a pid namespace of its own');

  const longest = { route: '', milliseconds: 0 };
  const ask = async (route: string): Promise<{ status: number; text: string }> => {
    const from = performance.now();
    try {
      return await within(10, async (signal) => {
        const once = () => fetch(url + route, { signal });
        // As Prometheus does: a connection that was kept may be closed as it is used.
        const response = await once().catch((error: Error) => {
          if (signal.aborted || !isClosed(error.cause)) throw error;
          return once();
        });
        return { status: response.status, text: await response.text() };
      });
    } finally {
      const milliseconds = performance.now() - from;
      if (milliseconds > longest.milliseconds) Object.assign(longest, { route, milliseconds });
    }
  };
  const get = async <T>(route: string): Promise<Answer<T>> => {
    const { status, text } = await ask(route);
    return { status, body: JSON.parse(text) as T };
  };
  const metrics = async (): Promise<Metrics> => new Metrics((await ask('/metrics')).text);
  const until: RunningDaemon['until'] = async (what, holds, seconds = 20) => {
    let ready: Answer<Readiness> | undefined;
    return eventually(
      what,
      async () => {
        const now = await metrics();
        ready = await get<Readiness>('/-/ready');
        return holds(now, ready) ? now : undefined;
      },
      seconds,
      {
        every: Math.min(100 * slowness, 200),
        seen: () => `; ready: ${JSON.stringify(ready)}; log: ${JSON.stringify(log.slice(-5))}`,
      },
    );
  };
  const lastTick = async (): Promise<number> =>
    (await metrics()).sum('mmaplock_last_tick_timestamp_seconds') ?? 0;

  return {
    pid,
    url,
    log,
    longest,
    get,
    metrics,
    until,
    // /metrics is rendered once a tick: what is given back must not be older than what makes it ready.
    ready: (seconds = 20) =>
      until('ready', (now, { status }) => status === 200 && now.sum('mmaplock_tracer_up') === 1, seconds),
    tracerPid: async () => Number((await get<{ tracer: { pid: string } }>('/api/v1/status')).body.tracer.pid),
    settled: async () => {
      // The tick after the next has surely begun after this call, unless ticks wait in the pipe: each tells its own time.
      const begun = Math.max((await lastTick()) + 1.5, Date.now() / 1000 + 0.5);
      return until(
        'two more ticks',
        (now) => (now.sum('mmaplock_last_tick_timestamp_seconds') ?? 0) > begun,
        10,
      );
    },
    stop: async () => {
      process.kill(pid, 'SIGTERM');
      return (await child).exitCode;
    },
    kill: async () => {
      process.kill(pid, 'SIGKILL');
      await child;
    },
  };
};

/** Runs the command line to its end; one that has none is ended, and its test fails. */
export const runCli = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  execa(process.execPath, [mainFile, ...args], { reject: false, env, timeout: patience(120) });

/** Whether a process lives; a zombie does not. */
export const lives = async (pid: number): Promise<boolean> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  return stat !== '' && !/\) [ZX] /.test(stat);
};

/** Resolves once a process is gone. */
export const gone = (pid: number, seconds = 10): Promise<true> =>
  eventually(`process ${pid} is gone`, async () => ((await lives(pid)) ? undefined : true), seconds);

/** Pids of those a process has started (CONFIG_PROC_CHILDREN); none when it is gone. */
export const childrenOf = async (pid: number): Promise<number[]> => {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.trim().split(' ').filter(Boolean).map(Number);
};
