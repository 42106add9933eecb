/**
 * How long a scrape of a full exposition takes while ticks arrive, seen by a client in another process. The control is a
 * bare server that compresses the same text, asked by turns with it: what the machine makes both wait is the machine's.
 */
import assert from 'node:assert/strict';
import { Agent, get } from 'node:http';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { execa } from 'execa';
import { killLeftovers, track } from '../live/support/children.js';
import { watchLines } from '../live/support/lines.js';
import { seriesCount } from '../support/exposition.js';
import { assertTimely, upToThreeTimes } from '../support/timing.js';

afterEach(killLeftovers);

const scrapes = 200;
/** Of the control. */
const mostTimes = 5;

const start = async (
  program: 'crowds/crowd-server' | 'light/plain-server',
  argument: string,
): Promise<string> => {
  const file = fileURLToPath(new URL(`support/${program}.js`, import.meta.url));
  const child = execa(process.execPath, [file, argument], { reject: false, buffer: false });
  track(child);
  const [url] = await watchLines(child.stdout, program).match(/^http:\S+$/);
  return `${url}/metrics`;
};

const scrape = (url: string, agent: Agent): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    get(url, { agent, headers: { 'accept-encoding': 'gzip' } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(Buffer.concat(chunks)));
    }).on('error', reject);
  });

/** Milliseconds of each scrape of the two, the shortest first; and the last answer. */
const measure = async (url: string, plain: string, agent: Agent) => {
  const taken: [number[], number[]] = [[], []];
  let answer: Buffer = Buffer.alloc(0);
  for (let count = 0; count < scrapes; count += 1) {
    // Of no common measure with the ticks, so that scrapes fall before, at and after them.
    await sleep(13);
    for (const [index, from] of [url, plain].entries()) {
      const began = performance.now();
      answer = await scrape(from, agent);
      taken[index]?.push(performance.now() - began);
    }
  }
  const [own, control] = taken.map((numbers) => numbers.sort((a, b) => a - b)) as [number[], number[]];
  return { own, control, text: gunzipSync(answer).toString() };
};

const percentile = (sorted: readonly number[], percent: number): number =>
  sorted[Math.ceil((sorted.length * percent) / 100) - 1]!;

for (const [often, interval, percent] of [
  ['each second', 1000, 99],
  // Half the scrapes come right after a tick, then, and have to be rendered.
  ['ten times a second', 100, 75],
] as const)
  test(`${percent} of 100 scrapes of a full exposition take at most ${mostTimes} times those of a bare server while a tick arrives ${often}`, async (context) => {
    const url = await start('crowds/crowd-server', String(interval));
    const plain = await start('light/plain-server', url);
    const agent = new Agent({ keepAlive: true });
    await upToThreeTimes(context, 'scrape', async () => {
      const { own, control, text } = await measure(url, plain, agent);
      assert.ok(seriesCount(text) > 1200, `${seriesCount(text)} series`);
      const told = (of: readonly number[]): string =>
        [50, 75, 99, 100].map((part) => percentile(of, part).toFixed(1)).join(', ');
      context.diagnostic(
        `${seriesCount(text)} series, ${text.length} bytes: median, 75 %, 99 % and longest ${told(own)} ms; ` +
          `of the control ${told(control)} ms`,
      );
      const [reached, once] = [percentile(own, percent), percentile(control, percent)];
      assertTimely(
        reached <= mostTimes * once,
        `${reached.toFixed(1)} ms, where the bare server took ${once.toFixed(1)} ms`,
      );
    });
    agent.destroy();
  });
