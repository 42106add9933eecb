/** A daemon under sixteen attackers at once, and what it does meanwhile for those who behave. */
import assert from 'node:assert/strict';
import { Agent, get } from 'node:http';
import { afterEach, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { killLeftovers, track } from '../../../live/support/children.js';
import { Metrics, startDaemon } from '../../../live/support/daemon.js';
import { lacking } from '../../../live/support/host.js';
import { watchLines } from '../../../live/support/lines.js';
import { slowness } from '../../../live/support/patience.js';
import { runWorkload } from '../../../live/support/workload.js';
import { resourcesOf } from '../resources.js';

const mib = 2 ** 20;
const mostResident = 320 * mib;
/**
 * Milliseconds of a scrape, on a machine of slowness 1. The attackers, what they contend for and the daemon share two CPUs
 * here.
 */
const longestScrape = 10_000;

/** As Prometheus does: on one connection while that lasts, and on another where it was closed. */
const scraper = (url: string) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const once = (): Promise<string> =>
    new Promise((resolve, reject) => {
      get(`${url}/metrics`, { agent }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (more: string) => {
          text += more;
        });
        response.on('end', () => resolve(text));
        response.on('error', reject);
      }).on('error', reject);
    });
  return async (): Promise<{ text: string; milliseconds: number }> => {
    const begun = performance.now();
    // Go's client asks again where a connection that it kept was closed.
    const text = await once().catch(once);
    return { text, milliseconds: performance.now() - begun };
  };
};

const startAttackers = async (url: string) => {
  const file = fileURLToPath(new URL('attackers.js', import.meta.url));
  const child = execa(process.execPath, [file, url], { buffer: false, stdin: 'pipe' });
  track(child);
  const out = watchLines(child.stdout, 'attackers');
  await out.match(/^attacking$/);
  return {
    stop: async (): Promise<string> => {
      child.stdin.end();
      await child;
      return out.seen.at(-1) ?? '';
    },
  };
};

/** A test that holds the daemon to it for so many seconds. */
export const siegeFor = (seconds: number): void => {
  afterEach(killLeftovers);
  test(
    `under 16 attackers for ${seconds} s it serves who behaves, and counts all`,
    { skip: lacking('root', 'tracing', 'bpftrace') },
    (t) => besiege(t, seconds),
  );
};

const besiege = async (t: TestContext, seconds: number): Promise<void> => {
  const daemon = await startDaemon({ args: ['--cost.budget-percent=0'] });
  await daemon.ready();
  const victim = await runWorkload('writers', [
    '--vmas',
    '200',
    '--seconds',
    '600',
    '--name',
    'siege-victim',
  ]);
  await victim.ready;
  const reading = ['smaps', String(victim.pid), '--name', 'siege-reader', '--pause-us', '20000'];
  const reader = await runWorkload('proc-reader', [...reading, '--seconds', '600']);
  const attackers = await startAttackers(daemon.url);
  const scrape = scraper(daemon.url);
  const taken: number[] = [];
  let [resident, ticks] = [0, 0];
  let newest = 0;
  for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
    const { text, milliseconds } = await scrape();
    taken.push(milliseconds);
    const tickAt = new Metrics(text).sum('mmaplock_last_tick_timestamp_seconds') ?? 0;
    if (tickAt > newest) ticks += 1;
    newest = tickAt;
    resident = Math.max(resident, (await resourcesOf(daemon.pid)).residentBytes);
    await sleep(500);
  }
  const did = await attackers.stop();
  await reader.stop();
  const truth = await reader.done;
  await victim.stop();
  const last = await daemon.settled();
  const counted = last.sum('mmaplock_reader_reads_total', { reader: 'siege-reader', file: 'smaps' }) ?? 0;
  const longest = Math.max(...taken);
  t.diagnostic(did);
  t.diagnostic(
    JSON.stringify({
      scrapes: taken.length,
      longest: Math.round(longest),
      residentMiB: Math.round(resident / mib),
      ticks,
      counted,
      truth: truth.reads,
    }),
  );
  assert.ok(resident <= mostResident, `${resident / mib} MiB resident`);
  assert.ok(longest <= longestScrape * slowness, `a scrape took ${longest} ms`);
  assert.ok(ticks > 0, 'ticks go on');
  assert.equal(counted, truth.reads);
  for (const lost of ['lost_events', 'decode_errors', 'blind_seconds', 'tracer_restarts'])
    assert.equal(last.sum(`mmaplock_${lost}_total`) ?? 0, 0, lost);
  assert.equal(await daemon.stop(), 0);
};
