import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProcessList } from '../../../src/ledger/lists/processes.js';
import { processRow } from '../../support/records.js';

test('of more than 2,000 entries those written longest ago are dropped, and that shows', () => {
  const list = new ProcessList();
  const add = (name: string, at: number) => list.add(processRow(name, 'write', 0, 0), 1, 10, at);
  for (let index = 0; index < 2000; index += 1) add(`n${index}`, index);
  assert.equal(list.dropped, 0);
  add('n0', 2000);
  add('new', 2001);
  assert.equal(list.dropped, 1);
  const names = list.entries().map(({ name }) => name);
  assert.equal(names.length, 2000);
  assert.ok(!names.includes('n1'), 'written longest ago');
  assert.deepEqual(names.slice(-2), ['n0', 'new']);
  assert.equal(list.entries().at(-2)?.waits.write.count, 2, 'an entry goes on from what it had');
});
