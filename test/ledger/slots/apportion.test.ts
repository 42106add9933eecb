import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Apportionment } from '../../../src/ledger/slots/apportion.js';
import { cases } from '../../support/depth.js';

/** What a tick gives to each name, of totals that have grown by `budget`; what no name claims is left in it. */
const shared = (
  names: Apportionment,
  budget: number[],
  rows: Readonly<Record<string, readonly number[]>>,
): Record<string, readonly number[]> => {
  const given: Record<string, readonly number[]> = {};
  const claims = Object.entries(rows).map(([key, values]) => ({ key, values, budget }));
  names.share(claims, ({ key }, amounts) => {
    given[key] = amounts;
  });
  return given;
};

test('what a name is ahead of the totals waits for the next tick', () => {
  const names = new Apportionment(500);
  assert.deepEqual(shared(names, [5, 50], { a: [7, 40] }), { a: [5, 40] });
  assert.deepEqual(shared(names, [2, 30], { a: [7, 70] }), { a: [2, 30] });
  assert.deepEqual(shared(names, [9, 9], { a: [7, 70] }), {}, 'nothing is given twice');
});

test('what no name claims is left', () => {
  const names = new Apportionment(500);
  const budget = [10, 100];
  assert.deepEqual(shared(names, budget, { a: [4, 40], b: [1, 0] }), { a: [4, 40], b: [1, 0] });
  assert.deepEqual(budget, [5, 60]);
});

test('totals apart from each other are shared apart from each other', () => {
  const names = new Apportionment(500);
  const [read, write] = [[3], [5]];
  const given: [string, number | undefined][] = [];
  names.share(
    [
      { key: 'read a', values: [4], budget: read },
      { key: 'write a', values: [4], budget: write },
    ],
    ({ key }, [amount]) => given.push([key, amount]),
  );
  assert.deepEqual(given, [
    ['read a', 3],
    ['write a', 4],
  ]);
  assert.deepEqual([read, write], [[0], [1]]);
});

test('a name whose row was left out starts with what is new', () => {
  const names = new Apportionment(2);
  shared(names, [30], { a: [10], b: [10] });
  assert.deepEqual(shared(names, [2], { a: [10], c: [12] }), {});
  assert.deepEqual(shared(names, [3], { a: [10], c: [15] }), { c: [3] });
});

test('rows that were added up count as rows: a name of which one was left out starts with what is new', () => {
  const names = new Apportionment(4);
  const given: [string, number | undefined][] = [];
  const take = (grown: number, a: number, rows: number): void => {
    const budget = [grown];
    names.share(
      [
        { key: 'a', values: [a], rows, budget },
        { key: 'b', values: [20], rows: 2, budget },
      ],
      ({ key }, [amount]) => given.push([key, amount]),
    );
  };
  take(170, 150, 2);
  // 100 and 50; then 103 alone, while others take the rest; then 103 and 54.
  take(9, 103, 1);
  take(9, 157, 2);
  take(9, 160, 2);
  assert.deepEqual(given, [
    ['a', 150],
    ['b', 20],
    ['a', 3],
  ]);
});

test('a name that was left out in between does not claim what was not given to it meanwhile', () => {
  const names = new Apportionment(2);
  shared(names, [20], { a: [10], b: [10] });
  shared(names, [9], { a: [11], c: [18] });
  const budget = [50];
  assert.deepEqual(shared(names, budget, { b: [30], c: [19] }), { c: [1] });
  assert.deepEqual(budget, [49]);
  assert.deepEqual(shared(names, [4], { b: [33], c: [19] }), { b: [3] });
});

test('each value is limited on its own: a name left out of one is exact in the other', () => {
  const names = new Apportionment(2);
  shared(names, [20, 1], { a: [10, 0], b: [10, 0], c: [0, 1] });
  assert.deepEqual(shared(names, [20, 5], { b: [10, 0], c: [30, 4], d: [0, 2] }), { c: [0, 3], d: [0, 2] });
});

test('a new tracer counts from zero, and nothing of it was left out', () => {
  const names = new Apportionment(1);
  shared(names, [5], { a: [5] });
  names.restart();
  assert.deepEqual(shared(names, [3], { b: [3] }), { b: [3] });
});

test('property: growth is given or left, no name is given more than it had while its row was there', () => {
  const keys = ['a', 'b', 'c', 'd', 'e'];
  const step = fc.record({
    event: fc.constantFrom('use', 'use', 'use', 'use', 'tick', 'tick', 'restart'),
    key: fc.constantFrom(...keys),
    amounts: fc.tuple(fc.nat(9), fc.nat(1000)),
    /** The update of the totals is not there yet when the tick is read. */
    late: fc.boolean(),
    /** The update by name was refused: the map is full. */
    lost: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: keys.length + 1 }),
      fc.boolean(),
      fc.array(step, { maxLength: 120, size: 'max' }),
      (rowLimit, losses, steps) => {
        const names = new Apportionment(rowLimit);
        const given = new Map<string, number>();
        /** By name and value: the most it may have been given. */
        const entitled = new Map<string, number>();
        let truth = new Map<string, number[]>();
        let printed = [new Map<string, number>(), new Map<string, number>()];
        let leftOut = [false, false];
        let grown = [0, 0];
        let late: number[][] = [];
        const add = (map: Map<string, number>, key: string, amount: number) =>
          map.set(key, (map.get(key) ?? 0) + amount);

        const tick = () => {
          const now = [0, 1].map(
            (index) =>
              new Map(
                [...truth]
                  .map(([key, values]) => [key, values[index]!] as const)
                  .filter(([, value]) => value > 0)
                  .sort((a, b) => b[1] - a[1])
                  .slice(0, rowLimit),
              ),
          );
          for (const [index, rows] of now.entries()) {
            for (const [key, value] of rows) {
              const before = printed[index]!.get(key);
              if (before !== undefined || !leftOut[index])
                add(entitled, `${key} ${index}`, value - (before ?? 0));
            }
            leftOut[index] ||= rows.size >= rowLimit;
          }
          printed = now;
          const budget = [...grown];
          const claims = [...truth.keys()].map((key) => ({
            key,
            values: now.map((rows) => rows.get(key) ?? 0),
            budget,
          }));
          const sum = [0, 0];
          names.share(claims, ({ key }, amounts) => {
            for (const [index, amount] of amounts.entries()) {
              assert.ok(amount >= 0);
              sum[index]! += amount;
              add(given, `${key} ${index}`, amount);
            }
          });
          for (const index of [0, 1]) {
            assert.equal(sum[index]! + budget[index]!, grown[index], 'given or left');
            assert.ok(budget[index]! >= 0);
          }
          for (const [key, amount] of given)
            assert.ok(
              amount <= (entitled.get(key) ?? 0),
              `${key} was given ${amount} of ${entitled.get(key)}`,
            );
          if (!losses && !leftOut.includes(true)) assert.deepEqual(budget, [0, 0], 'all has a name');
          grown = [0, 0];
          for (const amounts of late) grown = grown.map((amount, index) => amount + amounts[index]!);
          late = [];
        };

        for (const { event, key, amounts, late: isLate, lost } of steps) {
          if (event === 'tick') tick();
          else if (event === 'restart') {
            names.restart();
            given.clear();
            entitled.clear();
            truth = new Map();
            printed = [new Map(), new Map()];
            leftOut = [false, false];
            grown = [0, 0];
            late = [];
          } else {
            if (!(losses && lost))
              truth.set(
                key,
                amounts.map((amount, index) => amount + (truth.get(key)?.[index] ?? 0)),
              );
            if (isLate) late.push(amounts);
            else grown = grown.map((amount, index) => amount + amounts[index]!);
          }
        }
      },
    ),
    { numRuns: cases(400) },
  );
});
