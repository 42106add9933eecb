import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keysOf, press, startState, type TopState } from '../../../src/cli/top/state.js';

const after = (input: string, state: TopState = startState): TopState => keysOf(input).reduce(press, state);

test('keys choose a table, sort, reverse, pause and quit', () => {
  assert.equal(after('2').view, 'readers');
  assert.equal(after('20').view, undefined);
  assert.equal(after('9').view, undefined, 'there is none of that number');
  assert.deepEqual([after('s').sort, after('ss').sort, after('ssss').sort], ['total', 'count', 'rate']);
  assert.equal(after('r').reversed, true);
  assert.deepEqual([after(' ').paused, after('  ').paused], [true, false]);
  assert.deepEqual([after('q').over, after('\x03').over], [true, true]);
});

test('a filter is typed, mended, taken and dropped; keys are letters meanwhile', () => {
  const typing = after('/mysqx\x7fl q');
  assert.deepEqual([typing.typing, typing.filter, typing.over], ['mysql q', '', false]);
  const taken = after('\r', typing);
  assert.deepEqual([taken.typing, taken.filter], [undefined, 'mysql q']);
  assert.equal(after('\x1b', taken).filter, '');
  assert.equal(after('/abc\x1b').filter, '');
  assert.equal(after('/\x03').over, true, 'Ctrl-C ends it there, too');
});

test('what is no character does not get into a filter, nor more than fits', () => {
  assert.equal(after('/a\x1b[A\x07\u202eb').typing, 'ab');
  assert.equal(after(`/${'x'.repeat(500)}`).typing?.length, 60);
});

test('arrows scroll, not beyond the first row', () => {
  assert.equal(after('\x1b[B\x1b[Bj').skipped, 3);
  assert.equal(after('\x1b[Akj').skipped, 1);
  assert.equal(after('jj2').skipped, 0);
});

test('help goes at the next key, which does nothing else', () => {
  assert.equal(after('h').help, true);
  assert.deepEqual([after('h ').help, after('h ').paused], [false, false]);
  assert.equal(after('hq').over, true);
});
