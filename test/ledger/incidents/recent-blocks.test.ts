import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentBlocks } from '../../../src/ledger/incidents/recent-blocks.js';
import type { ProcFile } from '../../../src/vocabulary.js';
import { readerBlockRow, stall, stallReader } from '../../support/records.js';

const t0 = Date.parse('2026-06-01T12:00:00Z');
const ms = 1e6;
const mysqld = { name: 'mysqld', cgroupId: '4711' };
const agent = { cgroupId: '4711' };

type Block = readonly [reader: string | undefined, file: ProcFile | undefined, nanoseconds: number];

/** A tick at a second in which readers blocked mysqld, or another victim, ten times each. */
const ticked = (recent: RecentBlocks, second: number, blocks: readonly Block[], victim = 'mysqld'): void => {
  const at = t0 + second * 1000;
  for (const [reader, file, nanoseconds] of blocks)
    recent.add(readerBlockRow(reader, victim, file, 10, nanoseconds), 10, nanoseconds, at);
  recent.ticked(at);
};

const window = (from: number, to: number, nanoseconds: number, victim = mysqld) => ({
  victim,
  from: t0 + from * 1000,
  to: t0 + to * 1000,
  nanoseconds,
});

const partsOf = (readers: ReturnType<RecentBlocks['look']>) =>
  readers.map(({ name, file, nanoseconds }) => [name, file, nanoseconds / ms]);

test('the readers of a window are those that blocked the same victim meanwhile', () => {
  const recent = new RecentBlocks((reader, file) =>
    reader.name === 'atop' && file === 'smaps' ? 4242 : undefined,
  );
  ticked(recent, 1, [['old', 'maps', 500 * ms]]);
  ticked(recent, 2, [['atop', 'smaps', 300 * ms]]);
  ticked(recent, 3, [
    ['atop', 'smaps', 200 * ms],
    ['agent', 'maps', 100 * ms],
  ]);
  ticked(recent, 4, [['late', 'maps', 500 * ms]]);
  const readers = recent.look(window(1, 3, 2000 * ms));
  assert.deepEqual(partsOf(readers), [
    ['atop', 'smaps', 500],
    ['agent', 'maps', 100],
  ]);
  assert.deepEqual(
    readers.map(({ pid, waits }) => [pid, waits]),
    [
      [4242, 20],
      [undefined, 10],
    ],
  );
  assert.deepEqual(recent.look(window(1, 3, 2000 * ms, { name: 'mysqld', cgroupId: '9' })), []);
  assert.deepEqual(recent.look(window(1, 3, 2000 * ms, { name: 'redis', cgroupId: '4711' })), []);
});

test('thread-time is scaled down to the wall time of the window, and what is unknown stays unknown', () => {
  const recent = new RecentBlocks();
  ticked(recent, 1, [
    ['atop', 'smaps', 3000 * ms],
    ['agent', 'smaps', 1000 * ms],
    [undefined, undefined, 4000 * ms],
  ]);
  assert.deepEqual(partsOf(recent.look(window(0, 1, 800 * ms))), [
    ['atop', 'smaps', 300],
    ['agent', 'smaps', 100],
  ]);
});

test('what a window took no other window finds', () => {
  const recent = new RecentBlocks();
  ticked(recent, 1, [['atop', 'smaps', 1000 * ms]]);
  ticked(recent, 2, [['atop', 'smaps', 1000 * ms]]);
  assert.equal(recent.look(window(0, 1.3, 1300 * ms))[0]?.nanoseconds, 1300 * ms, 'looking takes nothing');
  assert.deepEqual(partsOf(recent.take(window(0, 1.3, 1300 * ms))), [['atop', 'smaps', 1300]]);
  const rest = recent.take(window(1.3, 2, 9000 * ms));
  assert.deepEqual(partsOf(rest), [['atop', 'smaps', 700]]);
  assert.equal(rest[0]?.waits, 0, 'its waits were counted with the first');
  assert.deepEqual(recent.take(window(0, 2, 9000 * ms)), []);
});

test('what long waits told of their readers is not found again', () => {
  const recent = new RecentBlocks();
  recent.told(
    stall(t0 + 500, 100 * ms, { readers: [stallReader('atop', 'smaps', 70 * ms, agent)], victim: victim() }),
  );
  ticked(recent, 1, [
    ['atop', 'smaps', 90 * ms],
    [undefined, undefined, 50 * ms],
  ]);
  const [reader] = recent.look(window(0, 1, 20 * ms));
  assert.deepEqual(
    [reader?.nanoseconds, reader?.waits],
    [10 * ms, 9],
    'of 20 ms that are left, and of 20 ms unknown',
  );
});

test('a wait may tell of its readers after the tick in which they are: they count once all the same', () => {
  const recent = new RecentBlocks();
  ticked(recent, 1, [['atop', 'smaps', 90 * ms]]);
  const readers = [stallReader('atop', 'smaps', 70 * ms, agent)];
  recent.told(stall(t0 + 1001, 70 * ms, { readers, victim: victim() }));
  assert.deepEqual(partsOf(recent.look(window(0, 1, 500 * ms))), [['atop', 'smaps', 20]]);
  ticked(recent, 2, [['atop', 'smaps', 30 * ms]]);
  assert.deepEqual(partsOf(recent.look(window(1, 2, 500 * ms))), [['atop', 'smaps', 30]]);
});

test('a reader that was gone when a wait told of it is known by half of its name', () => {
  const recent = new RecentBlocks();
  const gone = stallReader('process-', 'smaps', 70 * ms, { cgroupId: '0', pid: undefined });
  recent.told(stall(t0 + 500, 70 * ms, { readers: [gone], victim: victim() }));
  ticked(recent, 1, [['process-exporte', 'smaps', 75 * ms]]);
  assert.deepEqual(partsOf(recent.look(window(0, 1, 500 * ms))), [['process-exporte', 'smaps', 5]]);
});

test('what was told and is in no tick is not held back for ever', () => {
  const recent = new RecentBlocks();
  const told = (): void =>
    recent.told(
      stall(t0, 100 * ms, { readers: [stallReader('atop', 'smaps', 100 * ms, agent)], victim: victim() }),
    );
  told();
  ticked(recent, 1, []);
  ticked(recent, 2, [['atop', 'smaps', 100 * ms]]);
  assert.deepEqual(recent.look(window(0, 2, 500 * ms)), [], 'one tick later it is still the same');
  told();
  ticked(recent, 3, []);
  ticked(recent, 4, []);
  ticked(recent, 5, [['atop', 'smaps', 100 * ms]]);
  assert.deepEqual(partsOf(recent.look(window(4, 5, 500 * ms))), [['atop', 'smaps', 100]]);
});

test('a new tracer: neither its windows nor its ticks know those of the last one', () => {
  const recent = new RecentBlocks();
  ticked(recent, 1, [['atop', 'smaps', 100 * ms]]);
  recent.told(
    stall(t0 + 1500, 100 * ms, {
      readers: [stallReader('atop', 'smaps', 100 * ms, agent)],
      victim: victim(),
    }),
  );
  recent.restart();
  ticked(recent, 2, [['atop', 'smaps', 60 * ms]]);
  assert.deepEqual(partsOf(recent.look(window(0, 2, 500 * ms))), [['atop', 'smaps', 60]]);
});

test('several processes of one name: each finds the readers of all, none finds what another took', () => {
  const recent = new RecentBlocks();
  ticked(recent, 1, [
    ['atop', 'smaps', 300 * ms],
    ['agent', 'smaps', 300 * ms],
  ]);
  const looked = recent.lookAll([window(0, 1, 400 * ms), window(0, 1, 400 * ms)]);
  const first = recent.take(window(0, 1, 400 * ms));
  const second = recent.take(window(0, 1, 400 * ms));
  assert.deepEqual(looked, [first, second], 'looking finds what taking would');
  assert.deepEqual(partsOf(first), [
    ['atop', 'smaps', 200],
    ['agent', 'smaps', 200],
  ]);
  assert.deepEqual(partsOf(second), [
    ['atop', 'smaps', 100],
    ['agent', 'smaps', 100],
  ]);
});

const victim = () => ({ ...mysqld, pid: 42, tid: 43 });
