import assert from 'node:assert/strict';
import path from 'node:path';
import { before, test } from 'node:test';
import { MmaplockError } from '../../src/errors.js';
import { packageRoot } from '../../src/package-root.js';
import { readCatalog } from '../../src/probes/catalog.js';
import type { Fragment } from '../../src/probes/fragment/fragment.js';
import { chooseForInspection, type Inspection, inspectProgram } from '../../src/probes/inspection.js';
import { makePlan } from '../../src/probes/plan.js';
import type { PlanOptions } from '../../src/probes/refusals.js';
import { everything, type FakeKernel, fakeKernel, fragmentOf, kernelFor } from './fake.js';

const choose = (
  fragments: readonly Fragment[],
  kernel: FakeKernel,
  options: Partial<PlanOptions> = {},
): Inspection =>
  chooseForInspection({ fragments, problems: [] }, fakeKernel(kernel), { ...everything, ...options });

const names = ({ chosen }: Inspection): string[] => chosen.map(({ fragment }) => fragment.name);

const holds = fragmentOf('holds', {
  header: ['mode inspect', 'provides holds', 'needs fragment retries', 'cost much', 'prints @holds'],
  body: 'tracepoint:mmap_lock:mmap_lock_released\n{\n  @holds = count();\n}\n',
});
const retries = fragmentOf('retries', {
  header: ['mode watch', 'provides retries', 'needs event reads', 'cost some', 'prints @r'],
  body: '//@ at reads read\n  @r = count();\n',
});
const source = fragmentOf('reads-tracepoint', {
  header: ['mode watch', 'tells reads', 'needs fragment marks', 'cost some'],
  body: 'tracepoint:a:read\n{\n  //@ hook read: nothing\n}\n',
});
const marks = fragmentOf('marks', {
  header: ['mode watch', 'provides opens', 'cost some', 'prints @marks'],
  body: 'tracepoint:a:open\n{\n  @marks = count();\n}\n',
});
const waits = fragmentOf('waits', {
  header: ['mode watch', 'provides waits', 'cost some', 'prints @waits'],
  body: 'tracepoint:a:wait\n{\n  @waits = count();\n  //@ hook ended: nothing\n}\n',
});
const stacks = fragmentOf('writer-stacks', {
  header: ['mode inspect', 'needs fragment waits', 'cost much', 'prints @stacks'],
  body: '//@ at waits ended\n  @stacks[kstack(16)] = count();\n',
});
/** Runs in watch mode, and nothing of the above needs it. */
const other = fragmentOf('other', {
  header: ['mode watch', 'provides blocks', 'cost some', 'prints @o'],
  body: 'tracepoint:a:open\n{\n  @o = count();\n}\n',
});
/** Of inspect mode, but no part of it. */
const rows = fragmentOf('rows', {
  header: ['mode inspect', 'cost much', 'prints @rows'],
  body: 'tracepoint:a:read\n{\n  @rows = count();\n}\n',
});
const all = [holds, retries, source, marks, waits, stacks, other, rows];

const kernel: FakeKernel = {
  tracepoints: { 'mmap_lock:mmap_lock_released': [], 'a:read': [], 'a:open': [], 'a:wait': [] },
};

test('it runs what tells of holds and of stacks, all that these need, and nothing else', () => {
  const inspection = choose(all, kernel);
  assert.deepEqual(names(inspection).sort(), [
    'holds',
    'marks',
    'reads-tracepoint',
    'retries',
    'waits',
    'writer-stacks',
  ]);
  assert.equal(inspection.reason, undefined);
  const { fragments, text } = inspectProgram(inspection);
  assert.deepEqual([...fragments], names(inspection));
  assert.match(text, /@holds/);
  assert.match(text, /@stacks\[kstack\(16\)\]/);
  assert.doesNotMatch(text, /@o\b|@rows/);
});

test('what watch mode runs does not change with it', () => {
  const plan = makePlan({ fragments: all, problems: [] }, fakeKernel(kernel), everything);
  const watched = plan.chosen.map(({ fragment }) => fragment.name);
  assert.ok(!watched.includes('holds') && !watched.includes('writer-stacks'));
  assert.ok(watched.includes('other'));
});

/** Why there is no inspect mode: the code of the reason, and that the program is refused in its words. */
const refusal = (...args: Parameters<typeof choose>): string | undefined => {
  const inspection = choose(...args);
  assert.deepEqual(inspection.chosen, []);
  assert.throws(
    () => inspectProgram(inspection),
    (error) =>
      error instanceof MmaplockError &&
      error.code === 'inspect_unavailable' &&
      error.message === inspection.reason?.detail,
  );
  return inspection.reason?.code;
};

test('without holds there is no inspect mode, and the reason is the true one', () => {
  const { 'mmap_lock:mmap_lock_released': _, ...tracepoints } = kernel.tracepoints!;
  assert.equal(refusal(all, { tracepoints }), 'kernel_lacks_tracepoint');
  assert.equal(refusal(all, kernel, { disable: ['holds'] }), 'disabled_by_config');
  assert.equal(refusal(all, kernel, { allow: ['kprobe'] }), 'needs_fragment');
  assert.equal(refusal(all, kernel, { rejected: new Map([['holds', 'no']]) }), 'rejected_by_bpftrace');
  assert.equal(
    refusal(
      all.filter((fragment) => fragment !== holds),
      kernel,
    ),
    'no_fragment',
  );
});

test('where what holds needs does not run, the reason names that', () => {
  assert.equal(refusal(all, kernel, { disable: ['marks'] }), 'needs_fragment');
  const { reason } = choose(all, kernel, { disable: ['retries'] });
  assert.match(reason?.detail ?? '', /retries.*probes\.disable/);
});

test('without stacks it still tells of holds', () => {
  const without = names(choose(all, kernel, { disable: ['writer-stacks'] }));
  assert.ok(without.includes('holds') && !without.includes('writer-stacks'));
  assert.ok(!without.includes('waits'), 'and what only stacks need does not run');
});

let shipped: readonly Fragment[];
before(async () => {
  shipped = (await readCatalog(path.join(packageRoot, 'bpf'))).fragments;
});

for (const [host, has, kind] of [
  ['tracepoints alone', {}, 'tracepoint'],
  ['kprobes', { kprobes: true }, 'kprobe'],
  ['fentry', { kprobes: true, functionTracing: 'readable' }, 'fentry'],
] as const)
  test(`what is shipped, on a host with ${host}`, () => {
    const chosen = names(choose(shipped, kernelFor(shipped, has)));
    for (const name of ['holds', 'writer-stacks', 'retries', 'blocks', 'reader-waits', 'proc-reads', 'waits'])
      assert.ok(chosen.includes(name), `${name} in ${chosen.join(', ')}`);
    const sourcesOf = (event: string) =>
      chosen.filter((name) => shipped.find((fragment) => fragment.name === name)?.tells === event);
    assert.deepEqual(sourcesOf('acquisitions'), [`acquisitions-${kind}`]);
    assert.deepEqual(sourcesOf('reads'), [`reads-${kind}`]);
    const waiting = kind === 'fentry' ? 'contention-fentry' : 'contention-tracepoint';
    assert.deepEqual(
      sourcesOf('contention'),
      [waiting],
      'kprobes lose waits, and tracepoints cost spinlocks',
    );
    for (const needless of ['proc-opens', 'procmap-query', 'stalls', 'lock-path', 'releases'])
      assert.ok(!chosen.includes(needless), needless);
    assert.equal(chosen.includes('opens-tracepoint'), kind === 'tracepoint', 'marks are for tracepoints');
  });

test('what is shipped needs windows: without retries there are no holds', () => {
  const { chosen, reason } = choose(shipped, kernelFor(shipped, {}), { retries: 'off' });
  assert.deepEqual(chosen, []);
  assert.match(reason?.detail ?? '', /retries/);
});
