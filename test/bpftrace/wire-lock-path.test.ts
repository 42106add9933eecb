import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeLine } from '../../src/bpftrace/lines.js';
import { Wire } from '../../src/bpftrace/wire.js';
import { lockTakeRows } from '../../src/bpftrace/wire-lock-path.js';
import { tick } from '../support/records.js';
import { dialectOf, versions } from './goldens.js';
import { rows } from './map-rows.js';

test('what reads of a file took, and what of that filled the buffer', () => {
  assert.deepEqual(lockTakeRows(rows([[1], 64], [[5], 128]), rows([[5], 128])), [
    { file: 'maps', takes: 64, fills: 0 },
    { file: 'pagemap', takes: 128, fills: 128 },
  ]);
  assert.deepEqual(lockTakeRows([], []), []);
});

for (const version of versions)
  test(`${version} hands it over as it ends, without a tick`, () => {
    const wire = new Wire({ now: () => 1000, mapAt: () => undefined });
    for (const line of [
      '',
      '{"type": "map", "data": {"@lock_path_fills": {"2": 19}}}',
      '{"type": "map", "data": {"@lock_path_takes": {"1": 1, "2": 19}}}',
      '{"type": "map", "data": {"@ticking": 1}}',
    ])
      assert.deepEqual(wire.accept(decodeLine(line, dialectOf(version))), []);
    assert.deepEqual(wire.lastWords(), [
      tick(1000, {
        lockTakes: [
          { file: 'maps', takes: 1, fills: 0 },
          { file: 'smaps', takes: 19, fills: 19 },
        ],
      }),
    ]);
  });

test('a file that is none is told, and the others are kept', () => {
  const wire = new Wire({ now: () => 1000, mapAt: () => undefined });
  const [told] = wire.accept(
    decodeLine('{"type": "map", "data": {"@lock_path_takes": {"0": 1}}}', dialectOf('0.17.0')),
  );
  assert.equal(told?.kind, 'undecodable');
});
