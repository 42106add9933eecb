import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventRing, type KeptType } from '../../../src/api/stream/ring.js';

const ofSize = (bytes: number) => () => new Uint8Array(bytes);
const numbers = (ring: EventRing, after: number, ...types: KeptType[]): number[] =>
  ring.after(after, new Set(types)).map(({ number }) => number);

test('events count up over all types, and are kept in that order', () => {
  const ring = new EventRing({ events: 10, bytes: 1000 });
  assert.equal(ring.newest, 0);
  for (const type of ['tick', 'incident', 'tick', 'incident'] as const) ring.add(type, ofSize(1));
  assert.equal(ring.newest, 4);
  assert.deepEqual(numbers(ring, 0, 'incident', 'tick'), [1, 2, 3, 4]);
  assert.deepEqual(numbers(ring, 2, 'tick', 'incident'), [3, 4]);
  assert.deepEqual(numbers(ring, 0, 'incident'), [2, 4]);
  assert.deepEqual(numbers(ring, 4, 'tick', 'incident'), []);
});

test('a tick drives out ticks, never an incident; what is lost is known by type', () => {
  const ring = new EventRing({ events: 2, bytes: 1000 });
  ring.add('incident', ofSize(1));
  for (let tick = 0; tick < 5; tick++) ring.add('tick', ofSize(1));
  assert.deepEqual(numbers(ring, 0, 'tick', 'incident'), [1, 5, 6]);
  assert.equal(ring.lostUpTo(new Set(['incident'])), 0);
  assert.equal(ring.lostUpTo(new Set(['tick'])), 4);
  assert.equal(ring.lostUpTo(new Set(['incident', 'tick'])), 4);
});

test('large events are bounded by their bytes; one that is larger than all is not kept', () => {
  const ring = new EventRing({ events: 10, bytes: 100 });
  for (const bytes of [40, 40, 40]) ring.add('tick', ofSize(bytes));
  assert.deepEqual(numbers(ring, 0, 'tick'), [2, 3]);
  ring.add('tick', ofSize(101));
  assert.deepEqual(numbers(ring, 0, 'tick'), []);
  assert.equal(ring.lostUpTo(new Set(['tick'])), 4);
  ring.add('tick', ofSize(100));
  assert.deepEqual(numbers(ring, 0, 'tick'), [5]);
});
