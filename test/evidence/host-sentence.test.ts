import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HostState, hostSentence, lastMinute } from '../../src/evidence/host-sentence.js';
import type { BlockColumn, HistoryColumn } from '../../src/ledger/history.js';
import { operations, procFiles } from '../../src/vocabulary.js';

const ms = 1e6;

const block = (
  reader: string,
  victim: string,
  file: BlockColumn['file'],
  nanoseconds: number,
): BlockColumn => ({
  reader: file === '~unknown' ? undefined : { name: reader, cgroupId: `of ${reader}` },
  victim: { name: victim, cgroupId: `of ${victim}` },
  file,
  count: 1,
  nanoseconds,
});

interface Told {
  readonly blocks?: readonly BlockColumn[];
  /** Wall time by file. */
  readonly wall?: Readonly<Record<string, number>>;
  readonly waits?: number;
  readonly retries?: number;
  readonly seconds?: number;
}

const column = ({ blocks = [], wall = {}, waits = 0, retries = 0, seconds = 60 }: Told): HistoryColumn => ({
  at: 0,
  observedSeconds: seconds,
  waits: operations.map((_, index) => (index === 0 ? waits : 0)),
  waitNanoseconds: operations.map((_, index) => (index === 0 ? waits * ms : 0)),
  durations: { read: [], write: [] },
  files: new Map(
    procFiles.map((file) => [
      file,
      {
        opens: 0,
        reads: 0,
        retries: file === 'maps' ? retries : 0,
        fallbacks: 0,
        writersBlockedNanoseconds: wall[file] ?? 0,
      },
    ]),
  ),
  blocks: new Map(blocks.map((one, index) => [String(index), one])),
  otherBlocks: { count: 0, nanoseconds: 0 },
});

const state = (told: Told, more: Partial<HostState> = {}): HostState => ({
  columns: [column(told)],
  blind: undefined,
  blocksObserved: true,
  blockedTimeObserved: true,
  ...more,
});

const units: Readonly<Record<string, string>> = {
  'of process-exporte': 'process-exporter.service',
};
const resolve = (cgroupId: string) => {
  const unit = units[cgroupId];
  return unit === undefined ? undefined : { unit, containerId: undefined, podUid: undefined };
};

const say = (told: Told, more: Partial<HostState> = {}): string => hostSentence(state(told, more), resolve);

test('one reader and one victim are named, with the share of the minute', () => {
  const blocks = [block('process-exporte', 'mysqld', 'smaps', 2000 * ms)];
  assert.equal(
    say({ blocks, wall: { smaps: 1860 * ms } }),
    'Readers of smaps blocked writers of `mysqld` for 3.1 % of the last minute; ' +
      '`process-exporte` (unit process-exporter.service) did it.',
  );
});

test('of several, the one that did most, and what part it had', () => {
  const blocks = [
    block('agent', 'mysqld', 'smaps', 600 * ms),
    block('other', 'redis', 'smaps_rollup', 400 * ms),
  ];
  assert.equal(
    say({ blocks, wall: { smaps: 600 * ms, smaps_rollup: 400 * ms } }),
    'Readers of smaps and smaps_rollup blocked writers, most of all those of `mysqld`, for 1.7 % of the last minute; ' +
      '`agent` did most of it.',
  );
  const many = ['a', 'b', 'c'].map((name) => block(name, 'mysqld', 'smaps', 100 * ms));
  assert.match(say({ blocks: many, wall: { smaps: 300 * ms } }), /`a` had the largest part, 33 %\.$/);
});

test('what lies at no door is nobody blamed for', () => {
  const blocks = [block('', 'mysqld', '~unknown', 9000 * ms), block('agent', 'mysqld', 'smaps', 1000 * ms)];
  assert.match(say({ blocks, wall: { smaps: 1000 * ms } }), /^Readers of smaps blocked .* `agent` did it\.$/);
  assert.match(
    say({ blocks: blocks.slice(0, 1), waits: 3 }),
    /^No reader of a proc file was seen to block anybody in the last minute\. Processes waited 3 times/,
  );
});

test('more than all of a minute is several processes at once; very little is told as such', () => {
  const blocks = [block('agent', 'mysqld', 'smaps', 1)];
  assert.match(
    say({ blocks, wall: { smaps: 90_000 * ms } }),
    /of several processes at once, for 90 s of the last minute in all/,
  );
  assert.match(say({ blocks, wall: { smaps: ms } }), /for less than 0\.1 % of the last minute/);
});

test('without wall time, thread-seconds are told and called so', () => {
  const blocks = [block('agent', 'mysqld', 'smaps', 2000 * ms)];
  assert.match(
    say({ blocks }, { blockedTimeObserved: false }),
    /for 2 s of their threads' time in the last minute/,
  );
});

test('a quiet host, waits without readers, and retries', () => {
  assert.equal(
    say({}),
    'No reader of a proc file was seen to block anybody in the last minute. Nobody waited for an mmap_lock.',
  );
  assert.equal(
    say({ waits: 1234, retries: 5678 }),
    'No reader of a proc file was seen to block anybody in the last minute; readers had to retry 5,678 times. ' +
      'Processes waited 1,234 times for their own mmap_lock, 1.2 s in all.',
  );
  assert.match(say({ waits: 1 }), /waited 1 time for/);
});

test('what is not observed is not told as quiet', () => {
  assert.equal(
    say({}, { blind: 'the tracer is starting' }),
    'This host is not observed right now: the tracer is starting.',
  );
  assert.match(
    say({}, { blocksObserved: false }),
    /^Whether readers of proc files block anybody is not observed\./,
  );
  assert.equal(say({ seconds: 0 }), 'Observing has begun; there is nothing to tell yet.');
  assert.match(say({ seconds: 7 }), /in the 7 seconds observed/);
  assert.match(say({ seconds: 1 }), /in the 1 second observed/);
});

test('the last minute is what reaches into it', () => {
  const at = (seconds: number) => ({ ...column({}), at: seconds * 1000 });
  assert.deepEqual(
    lastMinute([at(0), at(5), at(10), at(60)], 5, 66_000).map((one) => one.at),
    [5000, 10_000, 60_000],
  );
});
