/** A process that has another name at each open of its maps: maps of names are full at once, and the tracer is started again. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { afterEach, test } from 'node:test';
import { execa } from 'execa';
import { buildWorkload } from '../../live/support/build.js';
import { killLeftovers, track } from '../../live/support/children.js';
import { startDaemon } from '../../live/support/daemon.js';
import { lacking } from '../../live/support/host.js';

afterEach(killLeftovers);

interface Truth {
  readonly opens: number;
  /** In each tenth of a second. */
  readonly tenths: readonly number[];
}

/** The most in any span of so many seconds. */
const mostWithin = ({ tenths }: Truth, seconds: number): number => {
  const width = Math.ceil(seconds * 10);
  const sums = tenths.map((_, index) =>
    tenths.slice(index, index + width).reduce((sum, count) => sum + count, 0),
  );
  return Math.max(...sums);
};

test('of a process that renames itself at each open no more is missing than is told to be', {
  skip: lacking('root', 'tracing', 'bpftrace'),
}, async (t) => {
  const daemon = await startDaemon({ args: ['--cost.budget-percent=0'] });
  const before = await daemon.ready();
  const renamer = execa(path.join(await buildWorkload(), 'renamer'), ['--seconds', '15']);
  track(renamer);
  const truth = JSON.parse((await renamer).stdout) as Truth;
  await daemon.until(
    'a restart with empty maps',
    (metrics) =>
      (metrics.sum('mmaplock_tracer_restarts_total', { reason: 'map_full' }) ?? 0) > 0 &&
      metrics.sum('mmaplock_tracer_up') === 1,
    60,
  );
  const after = await daemon.settled();
  const grown = (name: string): number => (after.sum(name) ?? 0) - (before.sum(name) ?? 0);
  const opens = grown('mmaplock_proc_opens_total');
  const blind = grown('mmaplock_blind_seconds_total');
  // Ticks are a second apart, and each end of the gap is between two of them.
  const mayMiss = mostWithin(truth, blind + 0.3);
  t.diagnostic(JSON.stringify({ truth: truth.opens, opens, blind, mayMiss }));
  assert.ok(truth.opens - opens <= mayMiss, `${truth.opens - opens} of ${truth.opens} are missing`);
  assert.ok(mayMiss < truth.opens, 'not all of it was blind');
  // Others open their maps as well, few against this one.
  assert.ok(opens <= truth.opens + 5000, `${opens} of ${truth.opens}`);
  assert.equal(await daemon.stop(), 0);
});
