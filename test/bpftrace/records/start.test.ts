import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeLine } from '../../../src/bpftrace/decode/lines.js';
import { lockTakeRows, ownSeen } from '../../../src/bpftrace/records/start.js';
import { Wire } from '../../../src/bpftrace/records/tick.js';
import { nothingSeen, tick } from '../../support/records.js';
import { dialectOf, versions } from '../goldens.js';
import { rows } from '../map-rows.js';

test('what reads by a descriptor took, and what of that filled the buffer', () => {
  assert.deepEqual(lockTakeRows(rows([[4711, 21], 64], [[4711, 22], 128]), rows([[4711, 22], 128])), [
    { descriptor: 21, takes: 64, fills: 0 },
    { descriptor: 22, takes: 128, fills: 128 },
  ]);
  assert.deepEqual(lockTakeRows([], []), []);
});

test('an address keeps every bit, also where it came as a negative number', () => {
  const maps: Readonly<Record<string, ReturnType<typeof rows>>> = {
    '@own_operations': rows([[21, 1], 0xffffffff814a6f31n], [[21, 3], 0], [[22, 1], -2125828303n]),
    '@own_registers': rows([[1], 4], [[3], 4]),
    '@own_ids': rows([[1], 7], [[2], 4711]),
    '@own_reads': rows([[1], 64], [[5], 8], [[99], 1]),
  };
  assert.deepEqual(
    ownSeen((map) => maps[map] ?? []),
    {
      registers: Object.assign([4], { 2: 4 }),
      operations: [
        { descriptor: 21, operation: 1, address: 0xffffffff814a6f31n },
        { descriptor: 21, operation: 3, address: 0n },
        { descriptor: 22, operation: 1, address: 0xffffffff814a6f31n },
      ],
      ids: [7, 4711],
      reads: [
        { file: 'maps', count: 64 },
        { file: 'pagemap', count: 8 },
      ],
    },
  );
  assert.deepEqual(
    ownSeen(() => []),
    nothingSeen,
  );
});

for (const version of versions)
  test(`${version} hands it over as it ends, without a tick`, () => {
    const wire = new Wire({ now: () => 1000, mapAt: () => undefined });
    const dialect = dialectOf(version);
    // as the two versions of bpftrace print what a double cannot hold
    const big = dialect.bigIntegers === 'string' ? '"18446744071583428401"' : '18446744071583428401';
    for (const line of [
      '',
      '{"type": "map", "data": {"@lock_path_fills": {"4711,22": 19}}}',
      '{"type": "map", "data": {"@lock_path_takes": {"4711,21": 1, "4711,22": 19}}}',
      `{"type": "map", "data": {"@own_operations": {"21,1": ${big}}}}`,
      '{"type": "map", "data": {"@own_task": 18446635813211}}',
      '{"type": "map", "data": {"@ticking": 1}}',
    ])
      assert.deepEqual(wire.accept(decodeLine(line, dialect)), []);
    assert.deepEqual(wire.lastWords(), [
      tick(1000, {
        lockTakes: [
          { descriptor: 21, takes: 1, fills: 0 },
          { descriptor: 22, takes: 19, fills: 19 },
        ],
        own: {
          ...nothingSeen,
          operations: [{ descriptor: 21, operation: 1, address: 18446744071583428401n }],
        },
      }),
    ]);
  });
