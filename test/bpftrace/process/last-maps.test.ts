import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LastMaps, lastMapsLimits } from '../../../src/bpftrace/process/last-maps.js';

const { silent, between, most } = lastMapsLimits;

/** One that is asked at 0 s, and a clock. */
const asked = () => {
  let now = 1_000_000;
  const start = now;
  const lastMaps = new LastMaps(() => now);
  lastMaps.heard();
  assert.equal(lastMaps.isTooLate(), false, 'nobody has asked');
  lastMaps.asked();
  const at = (milliseconds: number): LastMaps => {
    now = start + milliseconds;
    return lastMaps;
  };
  return { at };
};

test('who takes down its probes one after another has half a minute for it, without a word', () => {
  const { at } = asked();
  at(8000).asked();
  assert.equal(at(8000).isTooLate(), false);
  assert.equal(at(silent).isTooLate(), false);
  assert.equal(at(silent + 1).isTooLate(), true);
});

test('while it still speaks it is waited for, and not for ever', () => {
  const { at } = asked();
  for (let time = 1000; time <= most; time += 1000) {
    at(time).heard();
    assert.equal(at(time).isTooLate(), false, `${time}`);
  }
  assert.equal(at(most + 1).isTooLate(), true);
});

test('once it has gone silent its time is over', () => {
  const { at } = asked();
  at(silent - 1000).heard();
  assert.equal(at(silent + between - 1000).isTooLate(), false);
  assert.equal(at(silent + between - 999).isTooLate(), true);
});
