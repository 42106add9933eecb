import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/package-root.js';
import { chooseAtStart, withReasonsAtStart } from '../../src/probes/at-start.js';
import { readCatalog } from '../../src/probes/catalog.js';
import { lockPathFragment } from '../../src/probes/lock-path/behaviour.js';
import { makePlan } from '../../src/probes/plan.js';
import type { PlanOptions } from '../../src/probes/refusals.js';
import { everything, type FakeKernel, fakeKernel, fragmentOf } from './fake.js';

const watch = fragmentOf('waits');
const start = fragmentOf('look', {
  header: ['mode start', 'cost a moment'],
  defines: ['LOCK 1 // offset mm_struct.mmap_lock'],
});
const kernel: FakeKernel = {
  members: { 'mm_struct.mmap_lock': 184 },
  tracepoints: { 'lock:contention_begin': ['lock_addr', 'flags'] },
};
const choose = (fragments = [watch, start], has: FakeKernel = kernel, options: Partial<PlanOptions> = {}) =>
  chooseAtStart({ fragments, problems: [] }, fakeKernel(has), { ...everything, ...options });

test('what runs at the start is chosen with its numbers, and never into the program that watches', () => {
  const { chosen, refused } = choose();
  assert.deepEqual(
    chosen.map(({ fragment, constants }) => [fragment.name, [...constants]]),
    [['look', [['LOCK', 184]]]],
  );
  assert.deepEqual(refused, []);
  const plan = makePlan({ fragments: [watch, start], problems: [] }, fakeKernel(kernel), everything);
  assert.deepEqual(
    plan.chosen.map(({ fragment }) => fragment.name),
    ['waits'],
  );
  assert.equal(plan.refused[0]?.reasons[0]?.code, 'start_only');
  assert.deepEqual(withReasonsAtStart(plan.refused, { chosen, refused }), plan.refused);
});

const codes = (...args: Parameters<typeof choose>): string[] =>
  choose(...args).refused.flatMap(({ reasons }) => reasons.map(({ code }) => code));

test('it obeys the operator and the kernel as all fragments do, and the plan then tells the true reason', () => {
  assert.deepEqual(codes(undefined, kernel, { disable: ['look'] }), ['disabled_by_config']);
  assert.deepEqual(codes(undefined, kernel, { allow: ['kprobe'] }), ['kind_not_allowed']);
  assert.deepEqual(codes(undefined, { ...kernel, members: {} }), ['kernel_lacks_member']);
  const atStart = choose(undefined, { ...kernel, tracepoints: {} });
  assert.deepEqual(atStart.chosen, []);
  const told = withReasonsAtStart(
    [{ fragment: 'look', reasons: [{ code: 'start_only', detail: 'later' }] }],
    atStart,
  );
  assert.equal(told[0]?.reasons[0]?.code, 'kernel_lacks_tracepoint');
});

test('it does not run where a fact of the host is unknown: it would look, and see nothing', () => {
  const needy = fragmentOf('look', {
    header: ['mode start', 'cost a moment'],
    defines: ['CALL 1 // host syscall_number'],
  });
  assert.deepEqual(codes([needy], { ...kernel, machine: 'aarch64' }), ['not_on_this_machine']);
});

test('it runs alone, so it can depend on nobody', () => {
  const needy = fragmentOf('look', { header: ['mode start', 'cost a moment', 'needs fragment waits'] });
  assert.deepEqual(codes([watch, needy]), ['needs_fragment']);
});

test('the fragment that tries out the lock paths is one of them', async () => {
  const { fragments } = await readCatalog(path.join(packageRoot, 'bpf'));
  assert.equal(fragments.find(({ name }) => name === lockPathFragment)?.mode, 'start');
});
