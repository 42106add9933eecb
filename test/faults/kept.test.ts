/** Nothing is kept of the dead: processes and threads come and go, and then every working map is empty. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { killLeftovers } from '../live/support/children.js';
import { lacking } from '../live/support/host.js';
import { counted, goingOn, ofTheDead, startKeeper } from '../live/support/kept.js';
import { patience } from '../live/support/patience.js';
import { runWorkload } from '../live/support/workload.js';

const skip = lacking('root', 'tracing', 'bpftrace', 'fuse');

/** More than a map has keys (4,096). */
const many = 6000;
/** Of threads that wait at once, with the one that waits to write; a third of the map's keys would not do for more. */
const wave = 2000;

afterEach(killLeftovers);

/** The kinds of programs that run on hosts: all of them watch the same processes here. */
const programs = {
  watch: [],
  'without retries': ['--retries=off'],
  inspect: ['--inspect'],
  'without readers': ['--reads=off'],
} as const;

test(`${many} targets, readers and waiting threads come and go, and every working map is empty but for the living`, {
  skip,
  timeout: patience(300),
}, async (t) => {
  const keepers = [];
  for (const [name, args] of Object.entries(programs)) keepers.push({ name, ...(await startKeeper(args)) });

  // Two threads that contend behind all who read their smaps.
  const victim = await runWorkload('writers', ['--vmas', '100', '--seconds', '3600']);
  await victim.ready;
  const target = String(victim.pid);
  const crowds = await Promise.all([
    runWorkload('churn', ['targets', '--count', String(many)]),
    runWorkload('churn', ['killed', target, '--count', String(many / 2)]),
    runWorkload('reader-crowd', ['smaps', target, '--name', 'kept', '--parents', '2', '--each', '1500']),
  ]);
  const [targets, killed, readers] = await Promise.all(crowds.map(({ done }) => done));
  const execs = await (await runWorkload('churn', ['exec', target, '--count', '300'])).done;
  await victim.stop();

  const stopped = ['--hold-ms', '60', '--faulters', String(wave - 1)];
  for (const args of [stopped, [...stopped, '--kill'], stopped])
    await (await runWorkload('stopper', args)).done;

  t.diagnostic(JSON.stringify({ targets, killed, readers, execs }));
  const left: Record<string, unknown> = {};
  for (const { name, stop } of keepers) {
    const kept = await stop();
    const seen = {
      waits: counted(kept, '@waits'),
      reads: counted(kept, '@proc_reads', ['2']),
      blocks: counted(kept, '@blocks', ['2']),
    };
    t.diagnostic(JSON.stringify({ name, ...seen, working: kept.working.join(' ') }));
    const dead = ofTheDead(kept);
    const waiting = goingOn(kept).length;
    if (Object.keys(dead).length + waiting > 0) left[name] = { ...dead, waiting };
    // What leaves no trace has been there.
    assert.ok(seen.waits >= 3 * wave, `${name}: ${seen.waits} waits`);
    if (name === 'without readers') continue;
    assert.ok(seen.reads >= 2 * many, `${name}: ${seen.reads} reads`);
    assert.ok(seen.blocks >= 100, `${name}: ${seen.blocks} blocks`);
  }
  assert.deepEqual(left, {}, 'what is kept of the dead');
});

test('of 400 threads that wait where a map has 128 keys none goes on when all have ended', {
  skip,
}, async () => {
  const keeper = await startKeeper([], 128);
  for (const more of [[], ['--kill']])
    await (await runWorkload('stopper', ['--hold-ms', '60', '--faulters', '399', ...more])).done;
  const kept = await keeper.stop();
  assert.ok(counted(kept, '@waits') >= 128);
  assert.deepEqual(goingOn(kept), []);
  assert.deepEqual(ofTheDead(kept), {});
});
