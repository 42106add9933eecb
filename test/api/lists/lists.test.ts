import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sinceTime } from '../../../src/api/lists/lists.js';
import { askSharedApp, openApp, problemOf } from '../../support/app.js';
import { epoch, type FakeDaemon, planOf } from '../../support/daemon.js';
import {
  blockRow,
  processRow,
  procFileRow,
  readerBlockRow,
  readerRow,
  tick,
  waitRow,
} from '../../support/records.js';
import { busyDaemon, quietDaemon } from '../../support/scenes.js';

const ask = askSharedApp();

interface ListPage {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly next_cursor: string | null;
  readonly as_of: string | null;
  readonly complete: boolean;
}

/** Processes `p0`, `p1`, ..., the first of which waited longest, read most, and made the others wait longest. */
const daemonWith = (count: number): FakeDaemon =>
  quietDaemon().apply(
    tick(epoch + 2000, {
      waits: [waitRow('write', 'mmap', count, count * (count + 1) * 500)],
      processes: Array.from({ length: count }, (_, index) =>
        processRow(`p${index}`, 'write', 1, (count - index) * 1000),
      ),
      procFiles: [procFileRow('maps', { reads: (count * (count + 1)) / 2 })],
      readers: Array.from({ length: count }, (_, index) =>
        readerRow(`p${index}`, 'maps', { reads: count - index }),
      ),
      blocks: [blockRow('maps', count, count * (count + 1) * 500)],
      readerBlocks: Array.from({ length: count }, (_, index) =>
        readerBlockRow(`p${index}`, 'victim', 'maps', 1, (count - index) * 1000),
      ),
    }),
  );

/** Lists of names, and the member of a row that holds the name. */
const named = [
  ['/api/v1/processes', 'process'],
  ['/api/v1/readers', 'reader'],
  ['/api/v1/blocks', 'reader'],
] as const;
const lists = ['/api/v1/waits', ...named.map(([list]) => list)];

for (const list of lists) {
  for (const limit of ['0', '1001', '-1', '1.5', 'abc', '', '1,2', '1e999', 'true', 'null', 'NaN', '%zz'])
    test(`${list}?limit=${limit} is refused`, async () => {
      const { field } = problemOf(await ask(`${list}?limit=${limit}`), 400, 'invalid_parameter');
      assert.equal(field, 'limit');
    });

  for (const cursor of [
    '',
    'x',
    '100',
    'o100',
    'W10',
    'WyJhIixbXSwiYiJd',
    'WzEsWzFdLCJiIl0',
    '%00',
    'o'.repeat(1025),
  ])
    test(`${list}?cursor=${cursor} is refused`, async () => {
      const { field } = problemOf(await ask(`${list}?cursor=${cursor}`), 400, 'invalid_parameter');
      assert.equal(field, 'cursor');
    });

  for (const sort of ['', 'nonsense', '-', '--last_seen_at', 'WAIT_SECONDS_TOTAL', 'unit', '__proto__'])
    test(`${list}?sort=${sort} is refused, and the fields that can be sorted by are named`, async () => {
      const { field, detail } = problemOf(await ask(`${list}?sort=${sort}`), 400, 'invalid_parameter');
      assert.equal(field, 'sort');
      assert.match(detail, /^sort is none of (-?[a-z_]+, )+-?[a-z_]+$/);
    });

  for (const parameter of ['limit', 'cursor', 'sort'])
    test(`${list}: a repeated ${parameter} is refused`, async () => {
      const answer = await ask(`${list}?${parameter}=1&${parameter}=1`);
      assert.equal(problemOf(answer, 400, 'invalid_parameter').field, parameter);
    });

  for (const limit of ['1', '1000'])
    test(`${list}?limit=${limit} is accepted`, async (context) => {
      const { ask } = await openApp(context, daemonWith(3));
      const answer = await ask(`${list}?limit=${limit}`);
      assert.equal(answer.statusCode, 200);
      const { data } = answer.json<ListPage>();
      assert.ok(limit === '1' ? data.length === 1 : data.length > 1);
    });
}

/** All fields that a list can be sorted by. */
const sortsOf = async (list: string): Promise<readonly string[]> => {
  const { detail } = problemOf(await ask(`${list}?sort=?`), 400, 'invalid_parameter');
  return detail.replace('sort is none of ', '').split(', ');
};

for (const list of lists)
  test(`${list}: rows come in the order of each field, and the other way round, page by page`, async (context) => {
    const { ask } = await openApp(context, busyDaemon());
    const all = (await ask(list)).json<ListPage>().data;
    assert.ok(all.length > 1);
    for (const sort of await sortsOf(list)) {
      const rows: Readonly<Record<string, unknown>>[] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const from: string = cursor === '' ? '' : `&cursor=${cursor}`;
        const page: ListPage = (await ask(`${list}?limit=2&sort=${sort}${from}`)).json();
        rows.push(...page.data);
        cursor = page.next_cursor;
      }
      const seen = (of: typeof rows) => of.map((row) => JSON.stringify(row)).sort();
      assert.deepEqual(seen(rows), seen([...all]), `${sort}: each row once`);
      const member = sort.replace('-', '');
      const values = rows.map((row) => row[member] as number | string | null);
      for (const [index, value] of values.slice(1).entries()) {
        const [low, high] = sort === member ? [values[index]!, value] : [value, values[index]!];
        assert.ok(low === null || (high !== null && low <= high), `${sort}: ${values}`);
      }
    }
  });

test('a list says by which field it is sorted where nobody asks', async (context) => {
  const { ask } = await openApp(context, busyDaemon());
  for (const [list, sort] of [
    ['/api/v1/waits', '-wait_seconds_total'],
    ['/api/v1/processes', '-waited_seconds_total'],
    ['/api/v1/readers', '-reads_total'],
    ['/api/v1/blocks', '-block_seconds_total'],
  ] as const)
    assert.equal((await ask(list)).body, (await ask(`${list}?sort=${sort}`)).body);
});

test('a cursor of another sort is refused, and says which', async (context) => {
  const { ask } = await openApp(context, daemonWith(3));
  const { next_cursor } = (await ask('/api/v1/blocks?limit=1&sort=reader')).json<ListPage>();
  for (const [query, sort] of [
    ['', '-block_seconds_total'],
    ['&sort=-reader', '-reader'],
  ]) {
    const answer = await ask(`/api/v1/blocks?cursor=${next_cursor}${query}`);
    const { field, detail } = problemOf(answer, 400, 'invalid_parameter');
    assert.equal(field, 'cursor');
    assert.equal(detail, `cursor is of a list with sort=reader, not sort=${sort}`);
  }
});

test('a page goes on after the row the last one ended with, though rows before it came or grew', async (context) => {
  const daemon = daemonWith(4);
  const { ask } = await openApp(context, daemon);
  const first = (await ask('/api/v1/processes?limit=2')).json<ListPage>();
  // p0 to p3 waited 4 to 1 us; p3 overtakes all others, and another comes in between.
  const grown = [processRow('p3', 'write', 2, 9_000), processRow('new', 'write', 1, 3_500)];
  daemon.apply(tick(epoch + 3000, { waits: [waitRow('write', 'mmap', 6, 21_500)], processes: grown }));
  const second = (await ask(`/api/v1/processes?limit=2&cursor=${first.next_cursor}`)).json<ListPage>();
  assert.deepEqual(
    [...first.data, ...second.data].map(({ process }) => process),
    ['p0', 'p1', 'p2'],
  );
  assert.equal(second.next_cursor, null);
});

test('readers of which only opens are observed: most opens first', async (context) => {
  const daemon = quietDaemon({ plan: planOf(['waits', 'opens']) });
  const opens = { rare: 1, often: 9, sometimes: 3 };
  daemon.apply(
    tick(epoch + 2000, {
      procFiles: [procFileRow('maps', { opens: 13 })],
      readers: Object.entries(opens).map(([name, count]) => readerRow(name, 'maps', { opens: count })),
    }),
  );
  const { ask } = await openApp(context, daemon);
  const { data } = (await ask('/api/v1/readers')).json<ListPage>();
  assert.deepEqual(
    data.map(({ reader }) => reader),
    ['often', 'sometimes', 'rare'],
  );
});

for (const [list, member] of named) {
  test(`${list}: 250 rows come in three pages of at most 100, each once, the largest first`, async (context) => {
    const { ask } = await openApp(context, daemonWith(250));
    const pages: ListPage[] = [];
    let cursor: string | null = '';
    while (cursor !== null && pages.length < 10) {
      const from: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page: ListPage = (await ask(`${list}?limit=100${from}`)).json();
      pages.push(page);
      cursor = page.next_cursor;
    }
    assert.deepEqual(
      pages.map(({ data }) => data.length),
      [100, 100, 50],
    );
    assert.deepEqual(
      pages.flatMap(({ data }) => data.map((row) => row[member])),
      Array.from({ length: 250 }, (_, index) => `p${index}`),
    );
  });

  test(`${list} says when rows had to be dropped`, async (context) => {
    const whole = await openApp(context, daemonWith(2000));
    assert.equal((await whole.ask(list)).json<ListPage>().complete, true);
    const cut = await openApp(context, daemonWith(2001));
    assert.equal((await cut.ask(list)).json<ListPage>().complete, false);
  });

  test(`${list}: a name longer than any can be is refused`, async () => {
    const answer = await ask(`${list}?${member}=${'a'.repeat(65)}`);
    assert.equal(problemOf(answer, 400, 'invalid_parameter').field, member);
  });

  test(`${list}: since leaves out what was seen last before it`, async (context) => {
    const daemon = daemonWith(2);
    daemon.now = epoch + 62_000;
    const { ask } = await openApp(context, daemon);
    const rows = async (since: string) => (await ask(`${list}?since=${since}`)).json<ListPage>().data.length;
    assert.equal(await rows('1m'), 2);
    assert.equal(await rows('59s'), 0);
    assert.equal(problemOf(await ask(`${list}?since=1w`), 400, 'invalid_parameter').field, 'since');
  });
}

test('without a limit a page holds 100; a full last page has no next one', async (context) => {
  const { ask } = await openApp(context, daemonWith(200));
  const first = (await ask('/api/v1/processes')).json<ListPage>();
  assert.equal(first.data.length, 100);
  const second = (await ask(`/api/v1/processes?cursor=${first.next_cursor}`)).json<ListPage>();
  assert.equal(second.data.length, 100);
  assert.equal(second.next_cursor, null);
});

test('as_of is the time of the newest record, null before the first', async (context) => {
  for (const list of lists) {
    assert.equal((await ask(list)).json<ListPage>().as_of, null);
    const later = await openApp(context, daemonWith(1));
    assert.equal((await later.ask(list)).json<ListPage>().as_of, '2025-06-01T12:00:02.000Z');
  }
});

test('where the time of day was set, what was 2 s ago is 2 s ago, in each list', async (context) => {
  const daemon = daemonWith(1);
  daemon.now = epoch + 4000;
  const { ask: askOf } = await openApp(context, daemon);
  for (const list of lists) {
    const before = (await askOf(list)).json<ListPage>();
    daemon.set = -400 * 86_400_000;
    const page = (await askOf(list)).json<ListPage>();
    assert.equal(Date.parse(page.as_of!) - Date.parse(before.as_of!), daemon.set, list);
    if (list !== '/api/v1/waits') {
      assert.deepEqual((await askOf(`${list}?since=3s`)).json<ListPage>().data, page.data, list);
      const since = new Date(epoch + 3000 + daemon.set).toISOString();
      assert.deepEqual((await askOf(`${list}?since=${since}`)).json<ListPage>().data, [], list);
    }
    daemon.set = 0;
  }
});

test('a page follows the one before it, though the time of day was set between them', async (context) => {
  const daemon = daemonWith(3);
  const { ask: askOf } = await openApp(context, daemon);
  for (const [list, sort] of [
    ['/api/v1/blocks', '-last_seen_at'],
    ['/api/v1/readers', '-last_seen_at'],
    ['/api/v1/processes', '-last_wait_at'],
  ] as const) {
    const all = (await askOf(`${list}?sort=${sort}`)).json<ListPage>().data.length;
    const first = (await askOf(`${list}?sort=${sort}&limit=1`)).json<ListPage>();
    daemon.set = 3_600_000;
    const second = (await askOf(`${list}?sort=${sort}&cursor=${first.next_cursor}`)).json<ListPage>();
    daemon.set = 0;
    assert.equal(first.data.length + second.data.length, all, list);
  }
});

const now = epoch;
const clock = { now: () => now, atTimeOfDay: (time: number) => time };
for (const [since, time] of [
  ['0s', now],
  ['90s', now - 90_000],
  ['15m', now - 900_000],
  ['2h', now - 7_200_000],
  ['1d', now - 86_400_000],
  ['2025-06-01T11:59:00Z', now - 60_000],
  ['2025-06-01t11:59:00z', now - 60_000],
  ['2025-06-01T13:59:00.250+02:00', now - 59_750],
  ['2025-06-01T11:59:00-00:00', now - 60_000],
] as const)
  test(`since ${since} is a time`, () => assert.equal(sinceTime(since, clock), time));

for (const since of [
  '',
  '90',
  '1w',
  '-1s',
  '1.5h',
  '1h30m',
  's',
  '1234567890s',
  'yesterday',
  '1748779200',
  '2025-06-01',
  '2025-06-01T11:59:00',
  '2025-13-01T11:59:00Z',
  '2025-06-01T25:00:00Z',
  '2025-06-01T11:59:00+02:00:00',
  ' 90s',
  '90s\n',
])
  test(`since ${JSON.stringify(since)} is refused`, async () => {
    const answer = await ask(`/api/v1/processes?since=${encodeURIComponent(since)}`);
    const { field, detail } = problemOf(answer, 400, 'invalid_parameter');
    assert.equal(field, 'since');
    assert.match(detail, /RFC 3339/);
  });

test('since leaves out what waited last before it', async (context) => {
  const daemon = quietDaemon();
  const wait = (at: number, count: number, names: readonly string[]) =>
    tick(at, {
      waits: [waitRow('write', 'mmap', count, count * 1000)],
      processes: names.map((name) => processRow(name, 'write', 1, 1000)),
    });
  daemon.apply(wait(epoch + 10_000, 1, ['early']), wait(epoch + 70_000, 2, ['early', 'late']));
  const { ask } = await openApp(context, daemon);
  const names = async (since: string) =>
    (await ask(`/api/v1/processes?since=${encodeURIComponent(since)}`))
      .json<ListPage>()
      .data.map(({ process }) => process)
      .sort();
  assert.deepEqual(await names('30s'), ['late']);
  assert.deepEqual(await names('1m'), ['early', 'late']);
  assert.deepEqual(await names('2025-06-01T14:00:30+02:00'), ['late']);
  assert.deepEqual(await names('2025-06-01T12:00:10Z'), ['early', 'late']);
  assert.deepEqual(await names('2025-06-01T12:01:10.001Z'), []);
});
