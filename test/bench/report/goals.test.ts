import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Ratios, resultsWith } from '../fake.js';
import type { Results } from '../results.js';
import { goals } from './goals.js';
import { verdictsOf } from './verdict.js';

const flat = (ratio: number) => [ratio, ratio, ratio] as const;
const verdictOf = (id: string, results: Results) => {
  const found = verdictsOf([results]).find(({ goal }) => goal.id === id);
  assert.ok(found, `no verdict on ${id}`);
  return found;
};
const on = (ratios: Ratios) => resultsWith(ratios);

test('of several loops the worst counts, and it is named', () => {
  const results = on({
    waits: { getppid: flat(1.002), read: flat(0.98), mmap: flat(1.015), fault: flat(1) },
  });
  const { met, measure, missedBy } = verdictOf('waits', results);
  assert.equal(met, false);
  assert.equal(measure?.loop, 'mmap');
  assert.ok(Math.abs((measure?.spread.median ?? 0) - 1.5) < 1e-9);
  assert.ok(Math.abs(missedBy - 0.5) < 1e-9, `${missedBy}`);
});

test('what is exactly at the limit is met', () => {
  assert.equal(verdictOf('retries-contended', on({ watch: { contended: flat(1.4) } })).met, true);
  assert.equal(verdictOf('retries-contended', on({ watch: { contended: flat(1.41) } })).met, false);
});

test('retries are what watch mode adds with them and not without, shared by the two acquisitions', () => {
  // 1000 ns: 1.5 is +500 ns, 1.1 is +100 ns.
  const results = on({ watch: { mmap: [1.5, 1.5, 1.7] }, retries_off: { mmap: [1.1, 1.1, 1.3] } });
  const { measure, met } = verdictOf('retries', results);
  assert.equal(Math.round(measure?.spread.median ?? 0), 200);
  assert.equal(met, true);
});

test('how many times cheaper than perf: the quotient of what both add', () => {
  const cheap = on({ watch: { contended: flat(1.05) }, perf: { contended: flat(1.3) } });
  const { measure, met } = verdictOf('perf', cheap);
  assert.equal(Math.round((measure?.spread.median ?? 0) * 100) / 100, 6);
  assert.equal(met, true);
  assert.equal(verdictOf('perf', cheap).stretched, false);
  const cheaper = on({ watch: { contended: flat(1.02) }, perf: { contended: flat(1.3) } });
  assert.equal(verdictOf('perf', cheaper).stretched, true);
  const dear = on({ watch: { contended: flat(1.1) }, perf: { contended: flat(1.3) } });
  assert.equal(verdictOf('perf', dear).met, false);
  assert.ok(Math.abs(verdictOf('perf', dear).missedBy - 2) < 1e-9);
});

test('with perf we are compared where perf costs more: where threads only spin it records nothing', () => {
  const { measure } = verdictOf(
    'perf',
    on({
      watch: { contended: flat(1.2), contended_touch: flat(1.02) },
      perf: { contended: flat(1.01), contended_touch: flat(1.22) },
    }),
  );
  assert.equal(measure?.loop, 'contended_touch');
  assert.equal(Math.round(measure?.spread.median ?? 0), 11);
});

test('nothing added by us is no endless quotient, and nothing added by perf is no victory', () => {
  const free = on({ watch: { contended: flat(0.99) }, perf: { contended: flat(1.3) } });
  assert.ok(Math.abs((verdictOf('perf', free).measure?.spread.median ?? 0) - 60) < 1e-9);
  const both = on({ watch: { contended: flat(0.99) }, perf: { contended: flat(1) } });
  assert.equal(verdictOf('perf', both).met, false);
});

test('a goal without what it needs is not measured, and not met', () => {
  const { measure, met } = verdictOf('perf', on({ watch: { contended: flat(1.01) } }));
  assert.equal(measure, undefined);
  assert.equal(met, false);
});

test('a limit between the quartiles is told apart from one that is far', () => {
  assert.equal(verdictOf('reader', on({ watch: { maps: [1.03, 1.04, 1.09] } })).close, true);
  assert.equal(verdictOf('reader', on({ watch: { maps: [1.02, 1.03, 1.04] } })).close, false);
});

test('function probes are judged on guests, tracepoints on the host', () => {
  const host = on({ watch: { getppid: flat(1.2) } });
  const guest = resultsWith({ watch: { getppid: flat(1.004) } }, { name: '6.12', unit: 'instructions' });
  const functions = verdictsOf([host, guest]).filter(({ goal }) => goal.id === 'functions');
  assert.deepEqual(
    functions.map(({ place, met }) => [place, met]),
    [['6.12', true]],
  );
  assert.equal(verdictsOf([guest]).length, 1);
});

test('every goal has a name of its own', () => {
  assert.equal(new Set(goals.map(({ id }) => id)).size, goals.length);
});
