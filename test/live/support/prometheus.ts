/** A real Prometheus beside the daemon: scrapes it, evaluates rules, answers queries. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { track } from './children.js';
import { patience, within } from './patience.js';

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

export interface Rule {
  readonly name: string;
  readonly type: 'recording' | 'alerting';
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string;
  /** Of an alert. */
  readonly state?: 'inactive' | 'pending' | 'firing';
  readonly alerts?: readonly { readonly labels: Readonly<Record<string, string>>; readonly state: string }[];
}

export interface Prometheus {
  /** An instant query; rejects with what Prometheus says when it is no valid one. */
  query(expression: string): Promise<readonly Series[]>;
  rules(): Promise<readonly Rule[]>;
  stop(): Promise<void>;
}

export interface PrometheusOptions {
  /** host:port of the daemon. */
  readonly target: string;
  /** Labels of that target, such as `cluster`. */
  readonly labels: Readonly<Record<string, string>>;
  /** Rule files, by name. */
  readonly rules: Readonly<Record<string, unknown>>;
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

/** Starts one that scrapes and evaluates once a second; resolves once it answers. */
export const startPrometheus = async ({ target, labels, rules }: PrometheusOptions): Promise<Prometheus> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'mmaplockd-prometheus-'));
  const write = (name: string, content: unknown) => writeFile(path.join(folder, name), stringify(content));
  for (const [name, content] of Object.entries(rules)) await write(name, content);
  await write('prometheus.yml', {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: Object.keys(rules),
    scrape_configs: [{ job_name: 'mmaplockd', static_configs: [{ targets: [target], labels }] }],
  });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = execa(
    'prometheus',
    [
      `--config.file=${path.join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${path.join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { reject: false, all: true, stdin: 'ignore' },
  );
  track(child);
  let ended = false;
  void child.then(() => {
    ended = true;
  });

  const ask = async <T>(route: string): Promise<T> => {
    const body = await within(10, async (signal) => {
      const response = await fetch(url + route, { signal });
      return (await response.json()) as { status: string; data: T; error?: string };
    });
    if (body.status !== 'success') throw new Error(`${body.error}`);
    return body.data;
  };
  for (const deadline = Date.now() + patience(60); ; ) {
    const answer = await fetch(`${url}/-/ready`).catch(() => undefined);
    if (answer?.ok) break;
    if (ended || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`prometheus does not start: ${(await child).all?.slice(-2000)}`);
    }
    await sleep(100);
  }
  return {
    query: async (expression) =>
      (await ask<{ result: readonly Series[] }>(`/api/v1/query?query=${encodeURIComponent(expression)}`))
        .result,
    rules: async () =>
      (await ask<{ groups: readonly { rules: readonly Rule[] }[] }>('/api/v1/rules')).groups.flatMap(
        ({ rules }) => rules,
      ),
    stop: async () => {
      child.kill('SIGTERM');
      await child;
      await rm(folder, { recursive: true, force: true });
    },
  };
};
