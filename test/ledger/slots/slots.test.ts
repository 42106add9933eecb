import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Labels, SlotFamily } from '../../../src/ledger/slots/slots.js';

type ByName = Labels & { readonly name: string };

const hour = 3_600_000;
const family = (slots: number) =>
  new SlotFamily<ByName>({
    slots,
    fold: () => ({ name: '~other' }),
    earned: ([amount = 0]) => amount >= 100,
  });

const totalOf = (slots: SlotFamily<ByName>, name: string): number | undefined =>
  slots.series().find(({ labels }) => labels.name === name)?.totals[0];

test('a name gets its own series at once while half of the slots are free', () => {
  const slots = family(4);
  slots.add({ name: 'a' }, [1], 0);
  slots.add({ name: 'b' }, [1], 0);
  slots.add({ name: 'c' }, [1], 0);
  assert.equal(totalOf(slots, 'a'), 1);
  assert.equal(totalOf(slots, 'b'), 1);
  assert.equal(totalOf(slots, 'c'), undefined);
  assert.equal(totalOf(slots, '~other'), 1);
  assert.equal(slots.folded, 1);
});

test('a name that earned its slot keeps what ~other took, and adds only what is new', () => {
  const slots = family(2);
  slots.add({ name: 'a' }, [1], 0);
  slots.add({ name: 'b' }, [100], 0);
  assert.equal(totalOf(slots, 'b'), undefined);
  slots.add({ name: 'b' }, [7], 0);
  assert.equal(totalOf(slots, 'b'), 7);
  assert.equal(totalOf(slots, '~other'), 100);
});

test('a slot is given away only when needed and after an hour without use; a name readmitted goes on', () => {
  const slots = family(1);
  slots.add({ name: 'a' }, [5], 0);
  slots.add({ name: 'b' }, [100], 1000);
  slots.add({ name: 'b' }, [1], hour - 1);
  assert.equal(totalOf(slots, 'a'), 5, 'not an hour idle yet');
  slots.add({ name: 'b' }, [1], hour);
  assert.equal(totalOf(slots, 'a'), undefined);
  assert.equal(totalOf(slots, 'b'), 1);
  slots.add({ name: 'a' }, [100], hour);
  slots.add({ name: 'a' }, [3], 2 * hour);
  assert.equal(totalOf(slots, 'a'), 8);
});

test('a hostile stream of names stays within its bounds', () => {
  const slots = family(10);
  for (let index = 0; index < 20_000; index++) slots.add({ name: `n${index}` }, [1], index);
  assert.ok(slots.series().length <= 11);
  assert.equal(slots.folded, 20_000 - 5);
});

test('property: nothing is lost, nothing moves, nothing goes down', () => {
  const step = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    amount: fc.integer({ min: 0, max: 300 }),
    later: fc.constantFrom(0, 1000, hour / 2, hour),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 200 }), (bound, steps) => {
      const slots = family(bound);
      const ended = new Map<string, number>();
      let at = 0;
      let given = 0;
      let before = new Map<string, number>();
      for (const { name, amount, later } of steps) {
        at += later;
        given += amount;
        slots.add({ name }, [amount], at);
        const now = new Map(slots.series().map(({ labels, totals }) => [labels.name, totals[0] ?? 0]));
        assert.ok([...now.keys()].filter((key) => key !== '~other').length <= bound);
        for (const [key, value] of before) {
          const current = now.get(key);
          if (current === undefined) ended.set(key, value);
          else assert.ok(current >= value, `${key} went down`);
        }
        for (const key of now.keys()) ended.delete(key);
        const sum = [...now.values(), ...ended.values()].reduce((a, b) => a + b, 0);
        assert.equal(sum, given, 'over all label sets ever exposed, the sum is what was given');
        before = now;
      }
    }),
  );
});
