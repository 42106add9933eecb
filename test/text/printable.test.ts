import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { printable, quoted } from '../../src/text/printable.js';

test('readable text stays, in any script', () => {
  assert.equal(printable('kworker/0:1 Zürich 東京'), 'kworker/0:1 Zürich 東京');
});

test('what could forge a line or drive a terminal is escaped', () => {
  assert.equal(
    printable('a\nb\r\t\u001b[2J\u007f\u0085\u2028\u202e'),
    'a\\nb\\r\\t\\u{1b}[2J\\u{7f}\\u{85}\\u{2028}\\u{202e}',
  );
});

test('no control character or lone surrogate survives', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.doesNotMatch(printable(text), /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    }),
  );
  assert.equal(printable('\ud800'), '\\u{d800}');
});

test('quoted text cannot end its quotes, and is cut', () => {
  assert.equal(quoted('a"b\\'), '"a\\"b\\\\"');
  assert.equal(quoted('x'.repeat(200), 3), '"xxx..."');
});
