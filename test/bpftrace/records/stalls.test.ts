import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeLine } from '../../../src/bpftrace/decode/lines.js';
import { StallLines, untoldStalls } from '../../../src/bpftrace/records/stalls.js';
import { Wire } from '../../../src/bpftrace/records/tick.js';
import type { Stall } from '../../../src/records.js';
import { dialectOf, versions } from '../goldens.js';
import { rows, words } from '../map-rows.js';

const unsigned = (comm: string): bigint[] => words(comm).map((word) => BigInt.asUintN(64, word));
const db = unsigned('mysqld');
const agent = unsigned('process-exporte');

/** Thread 43 of process 42 waits to munmap (11) from 1000 on. */
const how = (12n << 11n) | 4n;
const stallLine = (more: { ns?: number; cause?: number; queued?: number } = {}): string =>
  `stalled 43 1000 ${more.ns ?? 180_000_000} ${how} 42 ${db.join(' ')} 77\n` +
  `stall 43 1000 ${more.cause ?? 1} 190000000 9000000000 ${more.queued ?? 0} ${(more.queued ?? 0) * 1000}\n`;

const byLine = (
  slot: number,
  part: number,
  more: { file?: number; now?: bigint; prio?: number } = {},
): string =>
  `stalled-by 43 1000 ${slot} ${(BigInt(part) << 4n) | BigInt(more.file ?? 2)} ${agent.join(' ')} 99\n` +
  `stalled-now 43 1000 ${slot} ${more.now ?? agent[0]} 4243 4242 ${more.prio ?? 139}\n`;

const accept = (stalls: StallLines, text: string): Stall | undefined =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => stalls.accept(`${line}\n`))
    .at(-1);

const stallOf = (...lines: readonly string[]): Stall => {
  const stalls = new StallLines({ at: () => 5000 });
  const told = lines.map((line) => accept(stalls, line)).filter((stall) => stall !== undefined);
  assert.equal(told.length, 1);
  return told[0] as Stall;
};

test('a stall is told whole with its last line: who waited, doing what, and how long', () => {
  assert.deepEqual(stallOf(stallLine({ queued: 41 })), {
    kind: 'stall',
    at: 5000,
    cause: 'wait',
    victim: { name: 'mysqld', cgroupId: '77', pid: 42, tid: 43 },
    mode: 'write',
    operation: 'munmap',
    nanoseconds: 180_000_000,
    blockedInWindow: { nanoseconds: 190_000_000, windowNanoseconds: 9_000_000_000 },
    readers: [],
    convoy: { count: 41, nanoseconds: 41_000, longestQueue: 41 },
  });
  assert.equal(stallOf(stallLine({ cause: 2 })).cause, 'share');
});

test('its readers have their part, file, nice value and time without a CPU', () => {
  const { readers } = stallOf(
    byLine(0, 0),
    'delayed 43 1000 0 1 0 0 1\n',
    byLine(3, 170_000_000),
    'delayed 43 1000 3 130000001 10000001 0 1\n',
    stallLine(),
  );
  assert.deepEqual(readers, [
    {
      name: 'process-exporte',
      cgroupId: '99',
      pid: 4242,
      tid: 4243,
      file: 'smaps',
      nanoseconds: 170_000_000,
      nice: 19,
      offCpuNanoseconds: 120_000_000,
    },
  ]);
});

const offCpu = (delayed: string): number | undefined =>
  stallOf(byLine(1, 50_000_000), `delayed 43 1000 1 ${delayed}\n`, stallLine()).readers[0]?.offCpuNanoseconds;

test('time without a CPU counts from the begin of the wait, else from the grant within it, and is never a guess', () => {
  assert.equal(offCpu('30000001 20000001 0 1'), 10_000_000, 'from the begin');
  assert.equal(offCpu('30000001 0 2000 5000001'), 25_000_000, 'granted at 2000, which is after 1000');
  assert.equal(offCpu('30000001 0 900 5000001'), undefined, 'granted before: how much of it is not known');
  assert.equal(offCpu('30000001 0 0 1'), undefined, 'neither is known');
  assert.equal(offCpu('90000001 1 0 1'), 50_000_000, 'never more than its part');
  assert.equal(stallOf(byLine(1, 5), stallLine()).readers[0]?.offCpuNanoseconds, undefined, 'not told here');
});

for (const slot of [1, 4])
  test(`slot ${slot}: of a reader that is gone its name and part stay, and nothing of who has its task now`, () => {
    for (const now of [...unsigned('reused').slice(0, 1), 0n])
      assert.deepEqual(stallOf(byLine(slot, 5000, { now, prio: 120 }), stallLine()).readers, [
        {
          name: 'process-exporte',
          cgroupId: '99',
          pid: undefined,
          tid: undefined,
          file: 'smaps',
          nanoseconds: 5000,
          nice: undefined,
          offCpuNanoseconds: undefined,
        },
      ]);
  });

test('lines of two stalls may come in turns', () => {
  const stalls = new StallLines({ at: () => 5000 });
  const other = (line: string) => line.replaceAll(' 43 1000 ', ' 53 2000 ');
  assert.equal(accept(stalls, byLine(0, 7)), undefined);
  assert.equal(accept(stalls, other(byLine(0, 9, { file: 3 }))), undefined);
  assert.equal(accept(stalls, stallLine())?.readers[0]?.nanoseconds, 7);
  assert.equal(accept(stalls, other(stallLine()))?.readers[0]?.file, 'smaps_rollup');
});

test('stalls without a last line are not kept for ever', () => {
  const stalls = new StallLines({ at: () => 5000 });
  accept(stalls, byLine(0, 7));
  for (let tid = 100; tid < 200; tid += 1) accept(stalls, byLine(0, 7).replaceAll(' 43 ', ` ${tid} `));
  assert.deepEqual(accept(stalls, stallLine())?.readers, [], 'what was said of the first is forgotten');
  assert.equal(accept(stalls, stallLine().replaceAll(' 43 ', ' 199 '))?.readers.length, 1);
});

for (const version of versions)
  test(`${version}: a line that is cut or no stall loses only itself, and is told`, () => {
    const wire = new Wire({ now: () => 1000, mapAt: () => undefined });
    const accept = (text: string) =>
      wire.accept(decodeLine(JSON.stringify({ type: 'printf', data: text }), dialectOf(version)));
    assert.deepEqual(
      accept('stall 43 1000 5\n').map(({ kind }) => kind),
      ['undecodable'],
    );
    assert.deepEqual(
      accept('stalled-by 43 1000 0 x 0 0 0\n').map(({ kind }) => kind),
      ['undecodable'],
    );
    assert.deepEqual(
      accept('stall 44 1000 1 0 0 0 0\n').map(({ kind }) => kind),
      ['undecodable'],
      'nobody knows whose it is',
    );
    assert.deepEqual(accept('stalling\n'), []);
    const [whole, last] = stallLine().trimEnd().split('\n');
    assert.deepEqual(accept(`${whole}\n`), []);
    assert.deepEqual(
      accept(`${last}\n`).map(({ kind }) => kind),
      ['stall'],
    );
    const [tick] = accept('tick 123\n');
    assert.equal(tick?.kind === 'tick' && tick.complete, true);
  });

test('what was not told is a number', () => {
  assert.equal(untoldStalls(rows([[0], 12n])), 12);
  assert.equal(untoldStalls([]), 0);
});
