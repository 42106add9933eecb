/** When something happened, told by the clock of the kernel, though its line was read later. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeLine } from '../../../src/bpftrace/decode/lines.js';
import { Wire } from '../../../src/bpftrace/records/tick.js';
import { HistoryLedger } from '../../../src/ledger/history.js';
import { Ledger } from '../../../src/ledger/ledger.js';
import type { TracerRecord } from '../../../src/records.js';
import { operations } from '../../../src/vocabulary.js';
import { dialectOf } from '../goldens.js';
import { words } from '../map-rows.js';

const epoch = Date.UTC(2025, 5, 1);
/** Of the kernel, in seconds, when the time of day is `epoch`. */
const uptime = 1000;

/** A decoder, and a time of day and a clock that nobody sets, which run apart from what is fed. */
const decoder = () => {
  let passed = 0;
  let corrected = 0;
  const wire = new Wire({
    now: () => epoch + passed + corrected,
    monotonic: () => 77_000 + passed,
    mapAt: () => undefined,
  });
  const dialect = dialectOf('0.17.0');
  const hear = (data: string): TracerRecord[] =>
    wire.accept(decodeLine(JSON.stringify({ type: 'printf', data }), dialect));
  return {
    wire,
    pass: (seconds: number): void => {
      passed += seconds * 1000;
    },
    correct: (seconds: number): void => {
      corrected += seconds * 1000;
    },
    hear,
    /** A tick of so many seconds after `epoch`. */
    tick: (second: number): TracerRecord[] => hear(`tick ${(uptime + second) * 1e9}\n`),
    /** A stall of 0.5 s that ended so many seconds after `epoch`. */
    stall: (second: number): TracerRecord[] => {
      const start = (uptime + second - 0.5) * 1e9;
      const name = words('mysqld').map((word) => BigInt.asUintN(64, word));
      hear(`stalled 43 ${start} ${5e8} ${(12 << 11) | 4} 42 ${name.join(' ')} 77\n`);
      return hear(`stall 43 ${start} 1 0 0 0 0\n`);
    },
    map: (name: string, key: string, value: number): void => {
      const line = JSON.stringify({ type: 'map', data: { [name]: { [key]: value } } });
      wire.accept(decodeLine(line, dialect));
    },
  };
};

const timesOf = (records: readonly TracerRecord[]): number[] => records.map(({ at }) => at - epoch);

test('what is read at once after a stall of the daemon is told by when it was', () => {
  const { pass, tick, stall } = decoder();
  pass(1);
  assert.deepEqual(timesOf(tick(1)), [1000]);
  pass(10);
  assert.deepEqual(
    timesOf([...tick(2), ...stall(2.25), ...tick(3), ...tick(11)]),
    [2000, 2250, 3000, 11_000],
  );
});

test('a first tick that came late is made up for by the next one', () => {
  const { pass, tick } = decoder();
  pass(1.4);
  assert.deepEqual(timesOf(tick(1)), [1400]);
  pass(0.6);
  assert.deepEqual(timesOf(tick(2)), [2000]);
  pass(1.3);
  assert.deepEqual(timesOf(tick(3)), [3000]);
});

test('before the first tick a stall is of when it is read', () => {
  const { pass, stall } = decoder();
  pass(3);
  assert.deepEqual(timesOf(stall(2.5)), [3000]);
});

test('a time of day that is set, and a host that slept, change nothing', () => {
  const { pass, tick, correct } = decoder();
  pass(1);
  tick(1);
  correct(3600);
  pass(1);
  assert.deepEqual(timesOf(tick(2)), [3_602_000]);
  correct(-3600);
  pass(1);
  assert.deepEqual(timesOf(tick(3)), [3000]);
  // The clock of the kernel goes on while the host is suspended, that of Node stands still.
  correct(8 * 3600);
  pass(1);
  assert.deepEqual(timesOf(tick(4 + 8 * 3600)), [4000 + 8 * 3_600_000]);
});

test('after a stall of the daemon, each wait is in the column in which it was', () => {
  const { pass, tick, map } = decoder();
  const ledger = new Ledger({ waits: { slots: 10, rowLimit: 500, label: (name) => name } });
  const apply = (records: readonly TracerRecord[]): void => {
    for (const record of records) ledger.apply(record);
  };
  ledger.apply({ kind: 'tracer_started', at: epoch });
  pass(20);
  for (let second = 1; second <= 20; second += 1) {
    map('@waits', '4,0,11', second);
    apply(tick(second));
  }
  // The tick of the start itself cannot be told from one that was late.
  pass(20);
  for (let second = 21; second <= 40; second += 1) {
    map('@waits', '4,0,11', second);
    apply(tick(second));
  }
  const munmap = operations.indexOf('munmap');
  const { columnSeconds } = ledger.history.options;
  assert.ok(ledger.history instanceof HistoryLedger);
  assert.deepEqual(
    ledger.history.columns.slice(-3).map(({ at, waits }) => [(at - epoch) / 1000, waits[munmap]]),
    [25, 30, 35].map((second) => [second, columnSeconds]),
  );
});
