/** Names as kernels before 5.17 leave them: behind the NUL stands what is left of a longer name from before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeLine } from '../../../src/bpftrace/decode/lines.js';
import { Wire } from '../../../src/bpftrace/records/tick.js';
import { nameRowLimit } from '../../../src/daemon/ledger.js';
import { Ledger } from '../../../src/ledger/ledger.js';
import { dialectOf } from '../goldens.js';
import { words } from '../map-rows.js';

type Row = readonly [key: readonly (number | bigint)[], value: number | bigint];

/** A ledger behind a decoder, fed with the maps of one tick after another. */
const observed = () => {
  let at = Date.UTC(2025, 5, 1);
  const wire = new Wire({ now: () => at, mapAt: () => undefined });
  const dialect = dialectOf('0.23.2');
  const ledger = new Ledger({
    waits: { slots: 2000, rowLimit: nameRowLimit, label: (name) => name },
    readerSlots: 400,
    blockSlots: 400,
    blocksObserved: () => true,
    watched: { names: ['ls'] },
  });
  ledger.apply({ kind: 'tracer_started', at });
  return {
    ledger,
    /** Values are written as digits, for JSON of JavaScript knows no large integers. */
    tick: (maps: Readonly<Record<string, readonly Row[]>>): void => {
      at += 1000;
      const lines = Object.entries(maps).map(([name, rows]) => {
        const entries = rows.map(([key, value]) => `"${key.join()}": ${value}`);
        return `{"type": "map", "data": {"${name}": {${entries.join()}}}}`;
      });
      for (const line of [...lines, `{"type": "printf", "data": "tick ${at * 1e6}\\n"}`])
        for (const record of wire.accept(decodeLine(line, dialect))) {
          assert.equal(record.kind, 'tick', JSON.stringify(record));
          ledger.apply(record);
        }
    },
  };
};

/** `ls`, run by `bash` and by `python3`. */
const byBash = words([...Buffer.from('ls\0h')]);
const byPython = words([...Buffer.from('ls\0hon3')]);
const write = 4;

test('rows of one name are one, whatever stands behind its NUL', () => {
  const { ledger, tick } = observed();
  const waited = (a: number, b: number) => ({
    '@waits': [[[write, 0, 11], a + b]] as Row[],
    '@process_waits': [
      [[...byBash, 7, write], a],
      [[...byPython, 7, write], b],
    ] as Row[],
  });
  tick(waited(100, 50));
  tick(waited(110, 60));
  const counts = ledger.waits.processes.series().map(({ labels, totals }) => [labels, totals[0]]);
  assert.deepEqual(counts, [
    [{ process: 'ls', mode: 'write' }, 170],
    [{ process: '~other', mode: 'read' }, 0],
    [{ process: '~other', mode: 'write' }, 0],
  ]);
});

test('so are those of every table that has names in its keys', () => {
  const { ledger, tick } = observed();
  const smaps = 2;
  const both = (rest: readonly number[], [a, b]: readonly [number, number]): Row[] => [
    [[...byBash, 7, ...rest], a],
    [[...byPython, 7, ...rest], b],
  ];
  const pairs = ([a, b]: readonly [number, number]): Row[] => [
    [[...byBash, 7, ...words('mysqld'), 8, smaps], a],
    [[...byPython, 7, ...words('mysqld'), 8, smaps], b],
    [[...words('agent'), 7, ...byBash, 8, smaps], a],
    [[...words('agent'), 7, ...byPython, 8, smaps], b],
  ];
  for (const counts of [
    [100, 50],
    [110, 60],
  ] as const) {
    const sum = counts[0] + counts[1];
    tick({
      '@waits': [[[write, 0, 11], 2 * sum]],
      '@wait_ns': [[[write, 0, 11], 2 * sum]],
      '@proc_reads': [[[smaps], sum]],
      '@reader_reads': both([smaps], counts),
      '@reader_last': both([smaps], counts),
      '@blocks': [[[smaps], 2 * sum]],
      '@block_ns': [[[smaps], 2 * sum]],
      '@reader_blocks': pairs(counts),
      '@reader_block_ns': pairs(counts),
      '@vma_waits': [[[0], sum]],
      '@victim_vma_waits': both([], counts),
      '@convoy_waits': [[[0], sum]],
      '@victim_convoy_waits': both([], counts),
      '@victim_blocked_ns': both([], counts),
    });
  }
  assert.equal(ledger.readers.list.entries().length, 1);
  assert.equal(ledger.readers.list.entries()[0]?.reads, 170);
  assert.deepEqual(
    ledger.blocks.list
      .entries()
      .map(({ reader, victim, count, nanoseconds }) => [reader?.name, victim.name, count, nanoseconds]),
    [
      ['ls', 'mysqld', 170, 170],
      ['agent', 'ls', 170, 170],
    ],
  );
  for (const { victims } of [ledger.vmaWaits, ledger.convoys])
    assert.deepEqual(
      victims.series().map(({ labels: { victim }, totals: [count] }) => [victim, count]),
      [
        ['ls', 170],
        ['~other', 0],
      ],
    );
  assert.equal(ledger.watched.blocked.get('ls'), 170);
});

test('of two rows of one name, the process that did something last is told', () => {
  const { ledger, tick } = observed();
  const waited = (a: number, b: number): void =>
    tick({
      '@waits': [[[write, 0, 11], a + b]],
      '@process_waits': [
        [[...byBash, 7, write], a],
        [[...byPython, 7, write], b],
      ],
      '@process_pid': [
        [[...byBash, 7], 1001],
        [[...byPython, 7], 1002],
      ],
      '@proc_reads': [[[1], a + b]],
      '@reader_reads': [
        [[...byBash, 7, 1], a],
        [[...byPython, 7, 1], b],
      ],
      '@reader_last': [
        [[...byBash, 7, 1], (1001n << 32n) | 42n],
        [[...byPython, 7, 1], (1002n << 32n) | 43n],
      ],
    });
  const last = () => [
    ledger.waits.list.entries()[0]?.lastPid,
    ledger.readers.list.entries()[0]?.lastPid,
    ledger.readers.list.entries()[0]?.lastTargetPid,
  ];
  waited(100, 0);
  waited(100, 1);
  assert.deepEqual(last(), [1002, 1002, 43]);
  waited(101, 1);
  assert.deepEqual(last(), [1001, 1001, 42]);
});

test('rows left out of a tick are noticed, though those that are there are fewer names', () => {
  const { ledger, tick } = observed();
  // Every name twice: half as many names as rows.
  const names = Array.from({ length: nameRowLimit / 2 }, (_, index) => [
    words([...Buffer.from(`n${index}\0a`)]),
    words([...Buffer.from(`n${index}\0b`)]),
  ]).flat();
  const waited = (total: number, rows: readonly Row[]): void =>
    tick({ '@waits': [[[write, 0, 11], total]], '@process_waits': rows });
  const full = names.map((name): Row => [[...name, 7, write], 10]);
  waited(10 * names.length, full);
  // One name is new to the rows: what it had before was never told, and belongs to `~other`.
  const late = words('late');
  waited(10 * names.length + 3, [...full.slice(1), [[...late, 7, write], 1003]]);
  const series = ledger.waits.processes.series();
  assert.equal(
    series.some(({ labels }) => labels.process === 'late'),
    false,
  );
});
