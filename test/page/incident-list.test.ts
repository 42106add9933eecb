import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Listed, listedOfEvent, mostListed, withNews } from '../../src/page/incident-list.js';

const one = (id: string, second: number, more: Partial<Listed> = {}): Listed => ({
  id,
  state: 'closed',
  sentence: `about ${id}`,
  opened_at: new Date(second * 1000).toISOString(),
  victim: 'mysqld',
  file: 'smaps',
  readers: ['agent'],
  ...more,
});
const ids = (list: readonly Listed[]): string[] => list.map(({ id }) => id);

test('what is new comes first, and what is told anew takes the place of what was known', () => {
  const known = [one('b', 20, { state: 'open' }), one('a', 10)];
  const list = withNews(known, [one('c', 30), one('b', 20)]);
  assert.deepEqual(ids(list), ['c', 'b', 'a']);
  assert.equal(list[1]?.state, 'closed');
});

test('no more are kept than are listed: the oldest go', () => {
  const known = Array.from({ length: mostListed }, (_, index) => one(`k${index}`, 100 - index));
  const list = withNews(known, [one('new', 200)]);
  assert.equal(list.length, mostListed);
  assert.equal(list[0]?.id, 'new');
  assert.ok(!ids(list).includes(`k${mostListed - 1}`));
});

test('an event names one reader, or none', () => {
  const { readers: _, ...event } = one('a', 10);
  assert.deepEqual(listedOfEvent({ ...event, reader: 'agent' }).readers, ['agent']);
  assert.deepEqual(listedOfEvent({ ...event, reader: null }).readers, []);
});
