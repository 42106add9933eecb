/** A host where nothing stays: processes, readers and clients that come and go, each time under other names. */
import { get } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { RunningDaemon } from '../../live/support/daemon.js';
import { runWorkload } from '../../live/support/workload.js';

export interface Churn {
  /** Rounds of each kind of load, and requests, so far. */
  readonly rounds: {
    processes: number;
    targets: number;
    readers: number;
    requests: number;
    streams: number;
  };
  /** Ends all of it; rejects where some of it failed. */
  stop(): Promise<void>;
}

const routes = [
  '/metrics',
  '/api/v1/waits',
  '/api/v1/processes?limit=1000',
  '/api/v1/readers?sort=-reads_total',
  '/api/v1/blocks?since=5m',
  '/api/v1/incidents?limit=1000',
  '/api/v1/status',
  '/-/ready',
  '/api/v1/processes?limit=0',
  '/nothing/here',
];
const readFiles = ['maps', 'smaps', 'smaps_rollup', 'numa_maps'];

/** Starts it against a daemon. */
export const startChurn = (daemon: RunningDaemon): Churn => {
  const rounds = { processes: 0, targets: 0, readers: 0, requests: 0, streams: 0 };
  let ending = false;
  const until = async (once: () => Promise<void>): Promise<void> => {
    while (!ending) await once();
  };

  /** Processes that wait once, each under its own name. */
  const processes = until(async () => {
    const round = rounds.processes++;
    const names = ['--count', '40', '--distinct', '40', '--name', `s${round}-`];
    await (await runWorkload('spawner', names)).done;
    await pause(2000);
  });

  /** Processes that are read twice each and killed, all under one name: 40 a second. */
  const targets = until(async () => {
    await (await runWorkload('churn', ['targets', '--count', '80'])).done;
    rounds.targets += 80;
    await pause(2000);
  });

  /** Writers, and readers of one of their files, which block: names of both, triples and incidents. */
  const blocks = until(async () => {
    const round = rounds.readers++;
    const file = readFiles[round % readFiles.length] as string;
    const writers = await runWorkload('writers', [
      ...['--vmas', '400', '--vma-bytes', '65536', '--seconds', '4'],
      ...['--name', `victim-${round}`],
    ]);
    await writers.ready;
    const target = String(writers.pid);
    const reader = await runWorkload('proc-reader', [
      file,
      target,
      '--name',
      `reader-${round}`,
      '--seconds',
      '3',
    ]);
    await Promise.all([writers.done, reader.done]);
  });

  const requests = until(async () => {
    for (const route of routes) {
      await (await fetch(daemon.url + route)).arrayBuffer();
      rounds.requests += 1;
    }
    await pause(1000);
  });

  /** A client that reads the stream for a while and goes; every fourth does not read at all. */
  const streams = until(async () => {
    const round = rounds.streams++;
    await new Promise<void>((resolve, reject) => {
      const request = get(`${daemon.url}/api/v1/stream`, { agent: false }, async (answer) => {
        answer.on('error', () => {});
        if (round % 4 !== 0) answer.resume();
        await pause(3000);
        request.destroy();
        resolve();
      });
      request.once('error', reject);
    });
  });

  const all = Promise.all([processes, targets, blocks, requests, streams]);
  all.catch(() => {
    ending = true;
  });
  return {
    rounds,
    stop: async () => {
      ending = true;
      await all;
    },
  };
};
