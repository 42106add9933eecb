import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Budget, longestQuietMilliseconds } from '../../src/cost/budget.js';
import { type ShedStep, shedSteps } from '../../src/vocabulary.js';

const settings = { ratio: 0.01, overMilliseconds: 120_000, quietMilliseconds: 600_000 };

/** A budget that is told the same cost each 10 s. */
const kept = (more: Partial<typeof settings> = {}, sheddable: readonly ShedStep[] = shedSteps) => {
  const budget = new Budget({ ...settings, ...more });
  let at = 0;
  const during = (seconds: number, ratio: number): string[] => {
    const changes: string[] = [];
    for (const end = at + seconds * 1000; at < end; ) {
      at += 10_000;
      const change = budget.take({ at, ratio }, sheddable);
      if (change !== undefined) changes.push(`${change.kind} ${change.step}`);
    }
    return changes;
  };
  return { budget, during };
};

test('what is over the budget for two minutes gives up one step after the other, waits last', () => {
  const { budget, during } = kept();
  assert.deepEqual(during(120, 0.011), [], 'not yet');
  assert.deepEqual(during(10, 0.011), ['shed inspect']);
  assert.deepEqual(during(2000, 0.011), ['shed retries', 'shed reads', 'shed opens', 'shed waits']);
  assert.deepEqual([...budget.shed], [...shedSteps]);
});

test('a demo of 30 s, a burst, and what is just at the budget give up nothing', () => {
  const { during } = kept();
  for (let round = 0; round < 20; round++) assert.deepEqual([...during(110, 5), ...during(10, 0.009)], []);
  assert.deepEqual(during(3600, 0.01), []);
});

test('two samples far apart are no lasting cost', () => {
  const budget = new Budget(settings);
  assert.equal(budget.take({ at: 0, ratio: 1 }, shedSteps), undefined);
  assert.equal(budget.take({ at: 3_600_000, ratio: 1 }, shedSteps), undefined);
});

test('a step that this host does not have is passed over', () => {
  const { during } = kept({}, ['reads', 'waits']);
  assert.deepEqual(during(2000, 0.02), ['shed reads', 'shed waits']);
});

test('after ten quiet minutes one step comes back, and the next one after ten more', () => {
  const { during } = kept();
  during(400, 0.02);
  assert.deepEqual(during(3600, 0.006), [], 'over half the budget is not quiet');
  assert.deepEqual(during(600, 0.004), []);
  assert.deepEqual(during(20, 0.004), ['unshed reads']);
  assert.deepEqual(during(1300, 0.004), ['unshed retries', 'unshed inspect']);
});

test('what comes back and goes over again waits twice as long each time, up to four hours', () => {
  const { budget, during } = kept({}, ['retries']);
  const minutes: number[] = [];
  for (let round = 0; round < 7; round++) {
    assert.deepEqual(during(200, 0.02), ['shed retries']);
    minutes.push(budget.quietMilliseconds / 60_000);
    assert.deepEqual(during(budget.quietMilliseconds / 1000 + 10, 0.001), ['unshed retries']);
  }
  assert.deepEqual(minutes, [10, 20, 40, 80, 160, 240, 240]);
  assert.deepEqual(during(longestQuietMilliseconds / 1000, 0.001), [], 'a long good time');
  during(200, 0.02);
  assert.equal(budget.quietMilliseconds, settings.quietMilliseconds, 'all is as at first');
});

test('without a budget nothing is given up', () => {
  assert.deepEqual(kept({ ratio: 0 }).during(10_000, 50), []);
});

test('whatever comes: steps go in order, come back in reverse, and each change was due', () => {
  const sample = fc.record({
    after: fc.integer({ min: 1, max: 900_000 }),
    ratio: fc.constantFrom(0, 0.004, 0.005, 0.007, 0.01, 0.011, 3),
  });
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 300 }), fc.subarray([...shedSteps]), (samples, sheddable) => {
      const budget = new Budget(settings);
      const seen: { at: number; ratio: number }[] = [];
      let at = 0;
      let lastChange = -1;
      const model: ShedStep[] = [];
      for (const { after, ratio } of samples) {
        at += after;
        seen.push({ at, ratio });
        const change = budget.take({ at, ratio }, sheddable);
        assert.ok(budget.quietMilliseconds >= settings.quietMilliseconds);
        assert.ok(budget.quietMilliseconds <= longestQuietMilliseconds);
        if (change === undefined) continue;
        const since = at - change.lastedMilliseconds;
        assert.ok(since > lastChange, 'each change has samples of its own');
        const streak = seen.filter((one) => one.at >= since);
        assert.ok(streak.length >= 3);
        if (change.kind === 'shed') {
          assert.equal(change.step, sheddable[model.length]);
          assert.ok(streak.every((one) => one.ratio > settings.ratio));
          assert.ok(change.lastedMilliseconds >= settings.overMilliseconds);
          model.push(change.step);
        } else {
          assert.equal(change.step, model.pop());
          assert.ok(streak.every((one) => one.ratio < settings.ratio / 2));
          assert.ok(change.lastedMilliseconds >= settings.quietMilliseconds);
        }
        assert.deepEqual([...budget.shed], model);
        lastChange = at;
      }
    }),
  );
});
