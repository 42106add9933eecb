/** The installed service, asked as Prometheus and the tools of the host ask it. */
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { timed } from '../../kernels/guest/parts.js';
import { type Answer, Metrics, type Readiness } from '../../live/support/daemon.js';

const url = 'http://127.0.0.1:10465';
const slowness = Number(process.env.TEST_SLOWNESS ?? 1);
/** An answer takes an emulator 0.1 s. */
const lookMilliseconds = 500;

export const get = async <T>(route: string): Promise<Answer<T>> => {
  const response = await fetch(url + route, { signal: AbortSignal.timeout(10_000 * slowness) });
  return { status: response.status, body: (await response.json()) as T };
};

export const metrics = async (): Promise<Metrics> => {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(10_000 * slowness) });
  return new Metrics(await response.text());
};

/** The status of an answer over a unix socket. */
export const statusOverSocket = (socketPath: string, path: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, host: 'localhost' }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.once('error', reject).end();
  });

/** Resolves once a condition holds that is asked for again and again; rejects with the last error or answer. */
export const until = async <T>(
  what: string,
  look: () => Promise<T>,
  holds: (seen: T) => boolean,
  seconds = 60,
): Promise<T> => {
  const deadline = Date.now() + seconds * slowness * 1000;
  for (;;) {
    let seen: T | undefined;
    let trouble: unknown;
    try {
      seen = await look();
      if (holds(seen)) return seen;
    } catch (error) {
      trouble = error;
    }
    if (Date.now() > deadline)
      throw new Error(
        `not within ${seconds * slowness} s: ${what}; ${String(trouble ?? JSON.stringify(seen)).slice(0, 500)}`,
      );
    await sleep(lookMilliseconds);
  }
};

export const untilReady = (): Promise<Answer<Readiness>> =>
  timed('until it observes', () =>
    until(
      'ready',
      () => get<Readiness>('/-/ready'),
      ({ status }) => status === 200,
    ),
  );
