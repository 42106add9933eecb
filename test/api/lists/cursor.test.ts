import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { longestCursor, type PageQuery, takePage } from '../../../src/api/lists/cursor.js';
import type { Order, SortValue } from '../../../src/api/lists/order.js';
import { MmaplockError } from '../../../src/errors.js';

interface Row {
  readonly key: string;
  readonly amount: SortValue;
  readonly tie: SortValue;
}

const order: Order<Row, 'amount' | 'tie'> = {
  members: ['amount', 'tie'],
  measure: (row) => row,
  key: ({ key }) => key,
  normally: '-amount',
  ties: { amount: 'tie' },
};

/** Few different values, so that many rows are the same in them. */
const value = fc.oneof(
  fc.constant(null),
  fc.integer({ min: 0, max: 3 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const row = fc.record({ key: fc.string({ unit: 'binary', maxLength: 6 }), amount: value, tie: value });
const rowsOf = (maxLength: number) => fc.uniqueArray(row, { selector: ({ key }) => key, maxLength });
const sort = fc.constantFrom('amount', '-amount', 'tie', '-tie');
const limit = fc.integer({ min: 1, max: 7 });

/** All rows of all pages; `meanwhile` gives the rows as they are when a page is asked for. */
const walk = (meanwhile: (page: number) => readonly Row[], query: PageQuery): Row[] => {
  const seen: Row[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < 1000; page++) {
    const { rows, next } = takePage(meanwhile(page), order, { ...query, cursor });
    seen.push(...rows);
    if (next === null) return seen;
    assert.equal(rows.length, query.limit, 'a page that is not the last is full');
    cursor = next;
  }
  assert.fail('the pages end');
};

test('pages of any size hold each row once, in the order of one page with all', () => {
  fc.assert(
    fc.property(rowsOf(30), sort, limit, (rows, sort, limit) => {
      const whole = takePage(rows, order, { sort, limit: 1000 });
      assert.equal(whole.next, null);
      assert.deepEqual(
        walk(() => rows, { sort, limit }),
        whole.rows,
      );
      assert.deepEqual(new Set(whole.rows), new Set(rows));
    }),
  );
});

test('the order does not depend on that in which the rows are kept', () => {
  fc.assert(
    fc.property(rowsOf(20), sort, (rows, sort) => {
      const query = { sort, limit: 1000 };
      assert.deepEqual(takePage(rows.toReversed(), order, query), takePage(rows, order, query));
    }),
  );
});

test('rows that come, go, grow and move meanwhile never make another appear twice or vanish', () => {
  const others = fc.array(rowsOf(10), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(rowsOf(20), others, sort, limit, (staying, others, sort, limit) => {
      const keys = new Set(staying.map(({ key }) => key));
      const restless = others.map((rows) => rows.filter(({ key }) => !keys.has(key)));
      const seen = walk((page) => [...(restless[page % restless.length] ?? []), ...staying], { sort, limit });
      assert.deepEqual(
        seen.filter(({ key }) => keys.has(key)),
        takePage(staying, order, { sort, limit: 1000 }).rows,
      );
    }),
  );
});

test('a page of nothing is the last', () => {
  assert.deepEqual(takePage([], order, {}), { rows: [], next: null });
});

test('a cursor goes into an address as it is, and is never longer than one that is accepted', () => {
  // The longest names: 16 bytes, each escaped as \xNN.
  const name = '\\x0a'.repeat(16);
  const key = JSON.stringify(['smaps_rollup', name, '18446744073709551615', name, '18446744073709551615']);
  const rows = [0, 1].map((tie) => ({ key: `${key}${tie}`, amount: name, tie }));
  const { next } = takePage(rows, order, { limit: 1 });
  assert.match(next ?? '', /^[\w-]+$/);
  assert.ok((next ?? '').length < longestCursor, `${next?.length} characters`);
});

test('a cursor that was made up is refused, or gives some rows of the list', () => {
  const text = fc.oneof(
    fc.string(),
    fc.json().map((json) => Buffer.from(json).toString('base64url')),
    fc
      .tuple(sort, fc.array(fc.jsonValue()), fc.string())
      .map((parts) => Buffer.from(JSON.stringify(parts)).toString('base64url')),
  );
  const rows: Row[] = [0, 1, 2].map((amount) => ({ key: String(amount), amount, tie: null }));
  fc.assert(
    fc.property(text, (cursor) => {
      try {
        const page = takePage(rows, order, { cursor });
        assert.ok(page.rows.every((row) => rows.includes(row)));
      } catch (error) {
        assert.ok(error instanceof MmaplockError && error.code === 'invalid_parameter');
        assert.equal(error.field, 'cursor');
      }
    }),
  );
});
