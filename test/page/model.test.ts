import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Column } from '../../src/api/column-rows.js';
import type { History } from '../../src/api/history.js';
import { hashOf, shownOf } from '../../src/page/filter.js';
import { bound, percent, place, rate, seconds } from '../../src/page/format.js';
import { type Block, Model, pairKey } from '../../src/page/model.js';

const start = Date.UTC(2026, 0, 1);

const block = (
  reader: string,
  victim: string,
  block_seconds: number,
  file: Block['file'] = 'smaps',
): Block => ({
  file,
  reader,
  reader_unit: null,
  victim,
  victim_unit: null,
  blocks: 1,
  block_seconds,
});

const column = (second: number, more: Partial<Column> = {}): Column => ({
  at: new Date(start + second * 1000).toISOString(),
  observed_seconds: 5,
  waits: [1, 2],
  wait_seconds: [0.5, 1],
  durations: { read: [], write: [] },
  files: [],
  blocks: [],
  other_block_seconds: 0,
  ...more,
});

const modelOf = (...columns: readonly Column[]): Model => {
  const model = new Model();
  model.load({
    as_of: null,
    sentence: '',
    column_seconds: 5,
    operations: ['mmap', 'munmap'] as unknown as History['operations'],
    duration_bounds_seconds: [0.001],
    columns: [...columns],
  });
  return model;
};

const seen = (model: Model): number[] => model.columns.map(({ at }) => (Date.parse(at) - start) / 1000);

test('a column takes the place of what was known of it, and the oldest go', () => {
  const model = modelOf(column(0), column(5));
  model.put(column(5, { observed_seconds: 3 }), 900);
  model.put(column(10), 10);
  assert.deepEqual(seen(model), [5, 10]);
  assert.equal(model.columns[0]?.observed_seconds, 3);
});

test('a column that does not follow, as where the time of day was set, is told, and later ones go', () => {
  const model = modelOf(column(1000), column(1005));
  assert.equal(model.put(column(1005), 900), true);
  assert.equal(model.put(column(1010), 900), true);
  assert.equal(model.put(column(1012.317), 900), false);
  assert.equal(model.put(column(5), 900), false);
  assert.deepEqual(seen(model), [5]);
});

test('where nothing is observed, what is shown goes on in steps from the last column', () => {
  const model = modelOf(column(2.317), column(7.317));
  model.unobservedTo(start + 60_000, 900);
  const { times, lines } = model.overTime(60, ['mmap'], ({ wait_seconds }) => wait_seconds[0] ?? 0);
  assert.equal(times.at(-1), (start + 57_317) / 1000);
  assert.equal(lines[0]!.filter((value) => value !== null).length, 2, 'both columns are shown');
});

test('a window ends with the newest column', () => {
  const model = modelOf(column(0), column(5), column(55), column(60));
  assert.deepEqual(
    model.within(60).map(({ at }) => (Date.parse(at) - start) / 1000),
    [5, 55, 60],
  );
  assert.deepEqual(modelOf().within(60), []);
});

test('the matrix sums pairs over a window, ranks names, and keeps what is unknown apart', () => {
  const model = modelOf(
    column(0, { blocks: [block('agent', 'db', 1), block('~unknown', 'db', 9, '~unknown')] }),
    column(5, {
      blocks: [block('agent', 'db', 2, 'maps'), block('atop', 'web', 2)],
      other_block_seconds: 0.25,
    }),
  );
  const matrix = model.matrix(60, {});
  assert.deepEqual(
    matrix.readers.map(({ name }) => name),
    ['agent', 'atop', '~unknown'],
    'nobody is the last, however much it is',
  );
  assert.deepEqual(
    matrix.victims.map(({ name, seconds: all }) => [name, all]),
    [
      ['db', 12],
      ['web', 2],
    ],
  );
  const pair = matrix.pairs.get(pairKey('agent', 'db'));
  assert.deepEqual([pair?.seconds, pair?.blocks, pair?.files], [3, 2, ['smaps', 'maps']]);
  assert.deepEqual([matrix.rest, matrix.observed], [0.25, 10]);
});

test('a filter leaves one reader, victim or file', () => {
  const blocks = [block('agent', 'db', 1), block('atop', 'db', 2, 'maps'), block('atop', 'web', 4)];
  const model = modelOf(column(0, { blocks }));
  const pairs = (filter: Parameters<Model['matrix']>[1]): string[] => [
    ...model.matrix(60, filter).pairs.keys(),
  ];
  assert.deepEqual(pairs({ reader: 'agent' }), [pairKey('agent', 'db')]);
  assert.deepEqual(pairs({ victim: 'db' }), [pairKey('agent', 'db'), pairKey('atop', 'db')]);
  assert.deepEqual(pairs({ reader: 'atop', file: 'maps' }), [pairKey('atop', 'db')]);
  assert.deepEqual(pairs({ reader: 'nobody' }), []);
});

test('more than 50 names do not fit, and their time is told', () => {
  const blocks = Array.from({ length: 60 }, (_, index) => block(`r${index}`, 'db', index + 1));
  const { readers, rest, pairs } = modelOf(column(0, { blocks })).matrix(60, {});
  assert.deepEqual([readers.length, pairs.size, rest], [50, 50, 55]);
});

test('over time, what was not observed is null and not 0', () => {
  const model = modelOf(column(0), column(10, { observed_seconds: 2 }), column(15, { observed_seconds: 0 }));
  const { times, lines } = model.overTime(20, ['mmap'], ({ wait_seconds }) => wait_seconds[0] ?? 0);
  assert.deepEqual(
    times.map((time) => time - start / 1000),
    [0, 5, 10, 15],
  );
  assert.deepEqual(lines, [[0.1, null, 0.25, null]]);
});

test('while nothing is observed, time goes on without columns', () => {
  const model = modelOf(column(0), column(5));
  model.unobservedTo(start + 21_000, 900);
  const { times, lines } = model.overTime(20, ['mmap'], ({ wait_seconds }) => wait_seconds[0] ?? 0);
  assert.deepEqual(
    times.map((time) => time - start / 1000),
    [5, 10, 15, 20],
  );
  assert.deepEqual(lines, [[0.1, null, null, null]]);
  model.unobservedTo(0, 900);
  assert.equal(model.overTime(20, [], () => 0).times.at(-1), start / 1000 + 5);
  model.unobservedTo(start + 1e9, 900);
  assert.equal(model.overTime(20, [], () => 0).times.at(-1), start / 1000 + 905, 'no further than that');
});

test('counts of files that are not observed stay so', () => {
  const row = {
    file: 'maps',
    opens: null,
    reads: 3,
    retries: null,
    fallbacks: 0,
    writers_blocked_seconds: 0.5,
  };
  const files = [row as Column['files'][number]];
  const sums = modelOf(column(0, { files }), column(5, { files })).files(60);
  assert.deepEqual(sums.get('maps'), { opens: null, reads: 6, retries: null, fallbacks: 0, blocked: 1 });
});

test('what is shown is in the address, and comes back from it; what it does not know it leaves out', () => {
  const shown = { reader: 'a b&c=d', victim: 'x\\x0a', file: 'smaps', incident: '17-1', window: 60 } as const;
  assert.deepEqual(shownOf(`#${hashOf(shown)}`), shown);
  assert.equal(hashOf(shownOf('')), '');
  const odd = shownOf('#window=7&color=red');
  assert.equal(odd.window, 900);
  assert.deepEqual(Object.keys(odd).sort(), ['file', 'incident', 'reader', 'victim', 'window']);
});

test('numbers as people read them', () => {
  assert.deepEqual([0, 0.00001, 0.0123, 0.9999, 3.21, 26, 300].map(seconds), [
    '0 s',
    'less than 0.1 ms',
    '12 ms',
    '1 s',
    '3.2 s',
    '26 s',
    '5 min',
  ]);
  assert.deepEqual([rate(0.031), percent(0.0314), percent(0.5)], ['31 ms/s', '3.1 %', '50 %']);
  assert.deepEqual([bound(0.000016), bound(0.004096), bound(1.048576)], ['16 us', '4.1 ms', '1 s']);
  assert.deepEqual(
    [place(null), place('ssh.service'), place('a'.repeat(64))],
    ['', 'ssh.service', 'a'.repeat(12)],
  );
});
