import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRepeatLimit } from '../../src/log/once.js';

const minute = 60_000;

const fixture = () => {
  const clock = { now: 5_000 };
  const said: [string, number][] = [];
  const limit = createRepeatLimit({ minutes: 10, now: () => clock.now });
  const say = (key: string) => limit(key, (unsaid) => said.push([key, unsaid]));
  return { clock, said, say };
};

test('a repeated message is said once, and the repeats are told with the next', () => {
  const { clock, said, say } = fixture();
  say('decode');
  say('decode');
  clock.now += 10 * minute - 1;
  say('decode');
  assert.deepEqual(said, [['decode', 0]]);
  clock.now += 1;
  say('decode');
  clock.now += 10 * minute;
  say('decode');
  assert.deepEqual(said, [
    ['decode', 0],
    ['decode', 2],
    ['decode', 0],
  ]);
});

test('keys do not withhold each other', () => {
  const { said, say } = fixture();
  say('a');
  say('b');
  say('a');
  assert.deepEqual(said, [
    ['a', 0],
    ['b', 0],
  ]);
});

test('of too many keys the one said longest ago is forgotten', () => {
  const { clock, said, say } = fixture();
  say('first');
  say('second');
  clock.now += 10 * minute;
  say('first');
  for (let n = 0; n < 999; n++) say(`key ${n}`);
  said.length = 0;
  say('first');
  assert.deepEqual(said, []);
  say('second');
  assert.deepEqual(said, [['second', 0]]);
});
