import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchedFragment } from '../../src/probes/watched.js';
import { epoch, planOf } from '../support/daemon.js';
import { samplesOf, valueIn } from '../support/exposition.js';
import { ongoingWait, tick } from '../support/records.js';
import { busyDaemon, quietDaemon, silentDaemon } from '../support/scenes.js';

const oldest = 'mmaplock_watched_oldest_wait_seconds';
const blocked = 'mmaplock_watched_writers_blocked_time_seconds_total';
const families = [oldest, blocked];
const flags = { 'metrics.watched_victims': ['mysqld', 'a "b" \\c', '\\x7eother'] };

test('where no name is watched there is no series, whoever waits', async () => {
  const text = await busyDaemon({ flags: { 'metrics.watched_victims': [] } }).text();
  for (const family of families) assert.deepEqual(samplesOf(text, family), []);
});

test('from the first tick on each name is there at 0, and before it none', async () => {
  const silent = await silentDaemon({ flags }).apply({ kind: 'tracer_started', at: epoch }).text();
  const quiet = await quietDaemon({ flags }).text();
  for (const family of families) {
    assert.deepEqual(samplesOf(silent, family), []);
    assert.deepEqual(
      samplesOf(quiet, family).map(({ labels, value }) => [labels, value]),
      flags['metrics.watched_victims'].map((victim) => [{ victim }, 0]),
    );
  }
});

test('what is not observed is absent, each family by what feeds it', async () => {
  const shown = async (plan: ReturnType<typeof planOf>) => {
    const text = await quietDaemon({ flags, plan }).text();
    return families.filter((family) => samplesOf(text, family).length > 0);
  };
  assert.deepEqual(await shown(planOf(['waits'])), [oldest]);
  assert.deepEqual(await shown(planOf(['waits', 'blocked_time'])), families);
  assert.deepEqual(await shown(planOf([])), []);
  const plan = planOf();
  const chosen = plan.chosen.filter(({ fragment }) => fragment.name !== watchedFragment);
  assert.deepEqual(await shown({ ...plan, chosen }), [oldest], 'wall time is observed, but not by name');
});

test('what watched victims suffer is told under their names, over tracers', async () => {
  const daemon = busyDaemon();
  const text = await daemon.text();
  assert.equal(valueIn(text, oldest, { victim: 'postgres' }), 1.75);
  assert.equal(valueIn(text, oldest, { victim: 'mysqld' }), 0);
  assert.equal(valueIn(text, blocked, { victim: 'mysqld' }), 0.003);
  daemon.apply(
    tick(epoch + 6000, {
      ongoing: [ongoingWait('write', 'munmap', 6.5)],
      victimsBlocked: [{ name: 'mysqld', cgroupId: '4711', nanoseconds: 2_000_000 }],
    }),
  );
  const later = await daemon.text();
  assert.equal(valueIn(later, oldest, { victim: 'postgres' }), 6.5);
  assert.equal(valueIn(later, blocked, { victim: 'mysqld' }), 0.005, 'the second tracer counted from zero');
  daemon.apply({ kind: 'tracer_stopped', at: epoch + 7000, reason: 'killed', handedOver: false });
  const down = await daemon.text();
  assert.equal(valueIn(down, oldest, { victim: 'postgres' }), 0, 'nobody is paged for what is not seen');
  assert.equal(valueIn(down, blocked, { victim: 'mysqld' }), 0.005);
});
