/** bpftrace killed again and again under load: what was counted stays, it is back soon, and the gap is told. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { killLeftovers } from '../live/support/children.js';
import { startDaemon } from '../live/support/daemon.js';
import { lacking } from '../live/support/host.js';
import { runWorkload } from '../live/support/workload.js';
import { bpftraceSlowness } from './support/bpftrace-speed.js';
import { markedTracers } from './support/marked.js';
import { missedReads } from './support/misses.js';
import { median, randomNumbers, seedOfRun } from './support/random.js';
import { watchScrapes } from './support/scrapes.js';
import { startTimedReader } from './support/timed-reader.js';

const skip = lacking('root', 'tracing', 'bpftrace');

/** `FAULTS_KILLS` makes it fewer, for a try. */
const kills = Number(process.env.FAULTS_KILLS ?? 50);
/** Two of five kills hit a tracer that only starts. */
const isWhileStarting = (kill: number): boolean => kill % 5 > 2;
/** The limit, from the kill to the first tick of the next tracer; the median of all, on a machine as fast as usual. */
const backWithinMilliseconds = 3000;
/** A tick may be on its way for so long, on a host whose CPUs are all taken. */
const tickDelayMilliseconds = 300;
const mark = 'FAULTS_MARK';

afterEach(killLeftovers);

test(`bpftrace killed ${kills} times at random moments under load`, { skip }, async (t) => {
  const seed = seedOfRun();
  const random = randomNumbers(seed);
  const value = `${process.pid}-killed-tracer`;
  const slownessBefore = await bpftraceSlowness();
  const daemon = await startDaemon({ env: { [mark]: value } });
  await daemon.ready(60);
  const writers = await runWorkload('writers', ['--name', 'wr-kill', '--seconds', '600', '--threads', '2']);
  await writers.ready;
  const reader = startTimedReader(`/proc/${writers.pid}/maps`, 'rd-kill');
  const scrapes = watchScrapes(daemon, 250);
  let seen = await scrapes.next(({ up }) => up, 'a tracer', 30);

  const gaps: { from: number; to: number; firstKill: number; kills: number; back: number }[] = [];
  for (let kill = 0; kill < kills; ) {
    await sleep(random() * 1500);
    const { restarts } = seen;
    const from = (await scrapes.next(() => true, 'a scrape', 30)).lastTick;
    let killedAt = Date.now();
    const firstKill = killedAt;
    let inGap = 1;
    process.kill(await daemon.tracerPid(), 'SIGKILL');
    for (kill += 1; kill < kills && isWhileStarting(kill); kill += 1) {
      await scrapes.next((scrape) => scrape.restarts >= restarts + inGap, 'the end of the tracer', 30);
      await sleep(random() * 1000);
      const starting = await markedTracers(mark, value);
      if (starting.length === 0) continue;
      killedAt = Date.now();
      for (const { pid } of starting) process.kill(pid, 'SIGKILL');
      inGap += 1;
    }
    seen = await scrapes.next(
      (scrape) => scrape.up && scrape.restarts >= restarts + inGap,
      `a tracer after kill ${kill}`,
      60,
    );
    gaps.push({ from, to: seen.lastTick, firstKill, kills: inGap, back: seen.lastTick - killedAt });
  }
  await daemon.settled();
  reader.stop();
  await writers.stop();
  const after = await daemon.settled();
  await scrapes.stop();
  assert.equal(await daemon.stop(), 0);
  const slowness = Math.max(slownessBefore, await bpftraceSlowness());

  const backs = gaps.map(({ back }) => back);
  const inGaps = reader.reads.filter((at) =>
    gaps.some(({ from, to }) => at > from - tickDelayMilliseconds && at <= to),
  ).length;
  const killed = gaps.reduce((sum, gap) => sum + gap.kills, 0);
  const outside = gaps.reduce((sum, { firstKill, to }) => sum + to - firstKill, 0) / 1000;
  const blind = after.sum('mmaplock_blind_seconds_total') ?? 0;
  t.diagnostic(`FAULTS_SEED=${seed}`);
  for (const { from, to, firstKill, back, kills } of gaps)
    t.diagnostic(
      `kills ${kills}: ${firstKill - from} ms after the last tick, back after ${back} ms, gap ${to - from} ms`,
    );
  const told = {
    killed,
    gaps: gaps.length,
    median: median(backs),
    slowness,
    longest: Math.max(...backs),
    blind,
    outside,
  };
  t.diagnostic(JSON.stringify({ ...told, scrapes: scrapes.count(), counters: scrapes.counters() }));

  assert.deepEqual(scrapes.wentDown, [], 'counters that went down');
  assert.ok(scrapes.count() > 2 * gaps.length && scrapes.counters() > 100);

  for (const what of ['opens', 'reads']) {
    const counted = after.sum(`mmaplock_reader_${what}_total`, { reader: reader.name, file: 'maps' }) ?? 0;
    const missing = reader.reads.length - counted;
    t.diagnostic(JSON.stringify({ what, truth: reader.reads.length, counted, missing, inGaps }));
    assert.ok(missing >= 0, `${-missing} ${what} more than there were`);
    const most = inGaps + missedReads(after);
    assert.ok(missing <= most, `${missing} ${what} are missing, and only ${most} fell into the gaps`);
  }

  assert.ok((after.sum('mmaplock_tracer_restarts_total') ?? 0) >= killed, 'each kill is told');
  assert.ok((after.sum('mmaplock_blind_seconds_total', { reason: 'killed' }) ?? 0) > 0.9 * blind);
  // A gap begins with the last tick, which was up to a second and its delay before the kill.
  assert.ok(blind >= outside, `${blind} s blind, and the tracer was away for ${outside} s`);
  const longest = outside + gaps.length * (1 + tickDelayMilliseconds / 1000);
  assert.ok(blind <= longest, `${blind} s blind, where ${longest} s are the most`);

  assert.ok(
    median(backs) <= backWithinMilliseconds * slowness,
    `back after ${median(backs)} ms (median; at most ${Math.max(...backs)} ms), where ${backWithinMilliseconds} ms times ${slowness.toFixed(2)} are allowed`,
  );
});
