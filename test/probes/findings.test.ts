import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addressesOf,
  type Findings,
  miscountOf,
  nothingFound,
  processIdsOf,
  registersOf,
} from '../../src/probes/findings.js';
import { makePlan } from '../../src/probes/plan.js';
import type { ProcFile } from '../../src/vocabulary.js';
import { everything, type FakeKernel, fakeKernel, fragmentOf } from './fake.js';

const done = (name: string, descriptor: number, calls = 8) => ({ name, descriptor, calls, reads: calls });

test('an operation is known by the file it was found in', () => {
  const seen = [
    { descriptor: 21, operation: 1, address: 0xffffffff814a6f31n },
    { descriptor: 21, operation: 3, address: 0n },
    { descriptor: 22, operation: 3, address: 0xffffffff814a7000n },
    { descriptor: 23, operation: 4, address: 0xffffffff814a8000n },
    { descriptor: 99, operation: 1, address: 1n },
  ];
  const files = [done('maps', 21), done('clear_refs', 22), done('map_files', 23), done('smaps', 24)];
  assert.deepEqual(
    [...addressesOf(files, seen)],
    [
      ['pid_maps_open', 0xffffffff814a6f31n],
      ['clear_refs_write', 0xffffffff814a7000n],
      ['proc_map_files_readdir', 0xffffffff814a8000n],
    ],
  );
});

const reads = (takes: number) => [{ file: 'pagemap' as ProcFile, reads: 8, takes, fills: takes }];

test('registers are right where each call that was seen showed each of them, else wrong', () => {
  const right = (registers: readonly (number | undefined)[], takes = 0) =>
    registersOf({ registers }, reads(takes));
  assert.equal(right([300, 300, 300, 300, 300, 300, 300]), 'right');
  for (const place of [1, 2, 3, 4, 6]) {
    const registers = [300, 300, 300, 300, 300, 300, 300];
    registers[place] = 296;
    assert.equal(right(registers, 16), 'wrong', `place ${place}`);
  }
  assert.equal(right([4]), 'wrong', 'no register has what it should');
  assert.equal(right([4, 4, 4, 4, 4], 16), 'wrong', 'no return was seen');
});

test('where no call was seen, that the lock was taken shows them; that nothing was seen at all shows nothing', () => {
  assert.equal(registersOf({ registers: [] }, reads(16)), 'right');
  assert.equal(registersOf({ registers: [] }, reads(0)), 'wrong');
  assert.equal(registersOf({ registers: [] }, []), 'wrong');
});

test('ids are those of the kernel, or not', () => {
  assert.equal(processIdsOf({ ids: [4711, 4711] }), 'global');
  assert.equal(processIdsOf({ ids: [1, 4711] }), 'namespaced');
  assert.equal(processIdsOf({ ids: [undefined, undefined] }), undefined);
});

test('reads are counted where each file has exactly its calls', () => {
  const files = [done('maps', 21, 64), done('pagemap', 22, 8)];
  const told = (maps: number, pagemap: number) =>
    miscountOf(files, [
      { file: 'maps', count: maps },
      ...(pagemap > 0 ? [{ file: 'pagemap' as const, count: pagemap }] : []),
    ]);
  assert.equal(told(64, 8), undefined);
  assert.equal(told(63, 8), 'of 64 own reads of maps it told 63');
  assert.equal(told(128, 0), 'of 64 own reads of maps it told 128, of 8 own reads of pagemap it told 0');
});

/** Waits by a fragment that can do without a register, reads by one that cannot, or by another source. */
const fragments = [
  fragmentOf('waits', {
    header: ['mode watch', 'provides waits', 'provides operations when NUMBER', 'cost none'],
    defines: ['NUMBER 1 // host syscall_number'],
  }),
  fragmentOf('reads-quick', { header: ['mode watch', 'tells reads', 'rank 10', 'cost none'] }),
  fragmentOf('reads-slow', {
    header: ['mode watch', 'tells reads', 'rank 30', 'cost some'],
    defines: ['OPEN 1 // address pid_maps_open'],
  }),
  fragmentOf('count', {
    header: ['mode watch', 'needs event reads', 'provides reads', 'cost none'],
  }),
  fragmentOf('blame', {
    header: ['mode watch', 'provides blocks', 'cost none'],
    defines: ['FD 1 // host syscall_fd'],
  }),
];
const kernel: FakeKernel = {
  members: { 'pt_regs.orig_ax': 120, 'pt_regs.di': 112 },
  sizes: { pt_regs: 168 },
  symbols: { pid_maps_open: 1 },
  tracepoints: { 'lock:contention_begin': ['flags'] },
};
const planWith = (found: Partial<Findings> = {}, has: FakeKernel = kernel) =>
  makePlan({ fragments, problems: [] }, fakeKernel(has), {
    ...everything,
    findings: { ...nothingFound, ...found },
  });

test('where registers are not where they are looked for, waits go on and all that rests on them is unproven', () => {
  const before = planWith();
  assert.ok(before.observables.operations.observed && before.observables.blocks.observed);
  const { observables } = planWith({ registers: 'wrong' });
  assert.equal(observables.waits.observed, true);
  for (const what of ['operations', 'blocks'] as const) {
    assert.equal(observables[what].observed, false, what);
    assert.equal(observables[what].reason?.code, 'registers_unproven', what);
  }
});

test('on a machine whose registers are not known, what looks at them does not run, and waits do', () => {
  const { observables } = planWith({}, { ...kernel, machine: 'aarch64' });
  assert.equal(observables.waits.observed, true);
  for (const what of ['operations', 'blocks'] as const)
    assert.equal(observables[what].reason?.code, 'not_on_this_machine', what);
});

test('a source that miscounts gives way to the next, and where none is left reads are unproven', () => {
  const miscounting = new Map([['reads-quick', 'of 64 own reads of maps it told 0']]);
  const addresses = new Map([['pid_maps_open', 0xffffffff814a6f31n]]);
  assert.equal(planWith().observables.reads.source, 'reads-quick');
  const next = planWith({ miscounting, addresses });
  assert.equal(next.observables.reads.source, 'reads-slow');
  const { observables } = planWith({
    miscounting: new Map([...miscounting, ['reads-slow', 'of 64 own reads of maps it told 1']]),
    addresses,
  });
  assert.equal(observables.reads.observed, false);
  assert.equal(observables.reads.reason?.code, 'reads_unproven');
});

test('an address that was seen serves where the symbol table hides it, and where it says otherwise', () => {
  const miscounting = new Map([['reads-quick', '']]);
  const openOf = (found: Partial<Findings>, has?: FakeKernel) =>
    planWith({ miscounting, ...found }, has)
      .chosen.find(({ fragment }) => fragment.name === 'reads-slow')
      ?.constants.get('OPEN');
  const addresses = new Map([['pid_maps_open', 0xffffffff814a6f31n]]);
  assert.equal(openOf({}), undefined, 'hidden');
  assert.equal(openOf({ addresses }), 0xffffffff814a6f31n);
  assert.equal(
    openOf({ addresses }, { ...kernel, addresses: { pid_maps_open: 4096n } }),
    0xffffffff814a6f31n,
  );
  assert.equal(openOf({ addresses }, { ...kernel, symbols: { pid_maps_open: 2 } }), 0xffffffff814a6f31n);
  assert.equal(openOf({ addresses }, { ...kernel, symbols: {} }), 0xffffffff814a6f31n);
});

test('where the ids of processes are those of a namespace, nothing runs', () => {
  const { chosen, observables } = planWith({ processIds: 'namespaced' });
  assert.deepEqual(chosen, []);
  assert.equal(observables.waits.reason?.code, 'own_pid_namespace');
  assert.ok(planWith({ processIds: 'global' }).observables.waits.observed);
});
