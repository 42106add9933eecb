/** bpftrace killed again and again under load: what was counted stays, it is back soon, and the gap is told. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDaemon } from '../../../live/support/daemon.js';
import { runWorkload } from '../../../live/support/workload.js';
import { assertTimely } from '../../../support/timing.js';
import { bareTracerLike } from '../bare-tracer.js';
import { markedTracers } from '../marked.js';
import { missedReads } from '../misses.js';
import { median, randomNumbers, seedOfRun } from '../random.js';
import { watchScrapes } from '../scrapes.js';
import { startTimedReader } from '../timed-reader.js';

/** Two of five kills hit a tracer that only starts. */
const isWhileStarting = (kill: number): boolean => kill % 5 > 2;
/** A tick may be on its way for so long, on a host whose CPUs are all taken. */
const tickDelayMilliseconds = 300;
/**
 * From the kill to the first tick of the next tracer, held against the start of a bare bpftrace: as long, half as long
 * again for the load that swings between the two, and what the daemon takes to see the end and to try again (two looks,
 * 550 ms, and a pause of 100 ms).
 */
const allowedMilliseconds = (bare: number): number => 1.5 * bare + 1000;
const mark = 'FAULTS_MARK';

export interface TracerKills {
  readonly kills: number;
  /** A bare bpftrace is started after every so many gaps. */
  readonly gapsToBare: number;
}

interface Gap {
  /** Milliseconds since the epoch: the last tick before and the first one after it. */
  readonly from: number;
  readonly to: number;
  readonly firstKill: number;
  readonly kills: number;
  /** Milliseconds from the last kill. */
  readonly back: number;
}

/** Fails where a counter goes down, a count is missing outside the gaps, a gap is not told, or a tracer is late. */
export const killTracers = async (t: TestContext, { kills, gapsToBare }: TracerKills): Promise<void> => {
  const seed = seedOfRun();
  t.diagnostic(`FAULTS_SEED=${seed}`);
  const random = randomNumbers(seed);
  const value = `${process.pid}-killed-tracer`;
  const daemon = await startDaemon({ env: { [mark]: value } });
  await daemon.ready(60);
  const bare = await bareTracerLike(await daemon.tracerPid());
  const writers = await runWorkload('writers', ['--name', 'wr-kill', '--seconds', '3600', '--threads', '2']);
  await writers.ready;
  const reader = startTimedReader(`/proc/${writers.pid}/maps`, 'rd-kill');
  // Its timer would keep a test that failed from ending.
  t.after(reader.stop);
  const scrapes = watchScrapes(daemon, 250);
  let seen = await scrapes.next(({ up }) => up, 'a tracer', 30);

  const gaps: Gap[] = [];
  const bares: number[] = [];
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
    if (gaps.length % gapsToBare === 0) bares.push(await bare.milliseconds());
  }
  await daemon.settled();
  reader.stop();
  await writers.stop();
  const after = await daemon.settled();
  await scrapes.stop();
  assert.equal(await daemon.stop(), 0);

  const backs = gaps.map(({ back }) => back);
  const inGaps = reader.reads.filter((at) =>
    gaps.some(({ from, to }) => at > from - tickDelayMilliseconds && at <= to),
  ).length;
  const killed = gaps.reduce((sum, gap) => sum + gap.kills, 0);
  const outside = gaps.reduce((sum, { firstKill, to }) => sum + to - firstKill, 0) / 1000;
  const blind = after.sum('mmaplock_blind_seconds_total') ?? 0;
  for (const { from, to, firstKill, back, kills } of gaps)
    t.diagnostic(
      `kills ${kills}: ${firstKill - from} ms after the last tick, back after ${back} ms, gap ${to - from} ms`,
    );
  t.diagnostic(`a bare bpftrace: ${bares.map((milliseconds) => milliseconds.toFixed(0)).join(', ')} ms`);
  const told = { killed, gaps: gaps.length, median: median(backs), bare: median(bares), blind, outside };
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

  assert.ok(killed > gaps.length, 'some kills hit a tracer that only started');
  assert.ok((after.sum('mmaplock_tracer_restarts_total') ?? 0) >= killed, 'each kill is told');
  assert.ok((after.sum('mmaplock_blind_seconds_total', { reason: 'killed' }) ?? 0) > 0.9 * blind);
  // A gap begins with the last tick, which was up to a second and its delay before the kill.
  assert.ok(blind >= outside, `${blind} s blind, and the tracer was away for ${outside} s`);
  const longest = outside + gaps.length * (1 + tickDelayMilliseconds / 1000);
  assert.ok(blind <= longest, `${blind} s blind, where ${longest} s are the most`);

  const allowed = allowedMilliseconds(median(bares));
  assertTimely(
    median(backs) <= allowed,
    `back after ${median(backs)} ms (median of ${backs.length}), where a bare bpftrace took ` +
      `${median(bares).toFixed(0)} ms and ${allowed.toFixed(0)} ms are allowed`,
  );
};
