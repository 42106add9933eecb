import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlockedTimeLedger } from '../../src/ledger/blocked-time.js';
import { Ledger } from '../../src/ledger/ledger.js';
import { procFiles } from '../../src/vocabulary.js';
import { tick, victimVmaWaitRow } from '../support/records.js';

test('every file is there from the start, at 0', () => {
  assert.deepEqual([...new BlockedTimeLedger().files.keys()], [...procFiles]);
  assert.deepEqual(new Set(new BlockedTimeLedger().files.values()), new Set([0]));
});

test('a new tracer counts from zero, and nothing goes down', () => {
  const ledger = new BlockedTimeLedger();
  ledger.apply([{ file: 'smaps', nanoseconds: 500 }]);
  ledger.apply([{ file: 'smaps', nanoseconds: 700 }]);
  ledger.restart();
  ledger.apply([{ file: 'smaps', nanoseconds: 30 }]);
  assert.equal(ledger.files.get('smaps'), 730);
});

test('of a tick the ledger takes wall time, convoys, and stalls that were not told', () => {
  const ledger = new Ledger({ waits: { slots: 50, rowLimit: 500, label: (name) => name } });
  const said = (at: number, times: number) =>
    tick(at, {
      writersBlocked: [{ file: 'smaps', nanoseconds: times * 10 }],
      convoys: { count: times, nanoseconds: times * 100 },
      victimConvoys: [victimVmaWaitRow('db', times, times * 100)],
      untoldStalls: times * 2,
    });
  ledger.apply({ kind: 'tracer_started', at: 1 });
  ledger.apply(said(2, 4));
  ledger.apply(said(3, 5));
  ledger.apply({ kind: 'tracer_stopped', at: 4, reason: 'killed', handedOver: false });
  ledger.apply({ kind: 'tracer_started', at: 5 });
  ledger.apply(said(6, 1));
  assert.equal(ledger.blockedTime.files.get('smaps'), 60);
  assert.deepEqual(ledger.convoys.total, { count: 6, nanoseconds: 600 });
  const [first] = ledger.convoys.victims.series();
  assert.deepEqual([first?.labels, first?.totals], [{ victim: 'db' }, [6, 600]]);
  assert.equal(ledger.tracer.untoldStalls, 12);
});
