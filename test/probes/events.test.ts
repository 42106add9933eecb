/** Events: several sources that tell the same, of which one runs; and what is made of it. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { MmaplockError } from '../../src/errors.js';
import { packageRoot } from '../../src/package-root.js';
import { readCatalog } from '../../src/probes/catalog.js';
import { dependencyProblems } from '../../src/probes/dependencies.js';
import type { Fragment } from '../../src/probes/fragment/fragment.js';
import { askedOfKernel, makePlan, type ProbePlan } from '../../src/probes/plan.js';
import { joinProgram, scriptOf } from '../../src/probes/program.js';
import type { PlanOptions } from '../../src/probes/refusals.js';
import { everything, type FakeKernel, fakeKernel, fragmentOf, kernelFor } from './fake.js';

const plan = (
  fragments: readonly Fragment[],
  kernel: FakeKernel,
  options: Partial<PlanOptions> = {},
): ProbePlan => makePlan({ fragments, problems: [] }, fakeKernel(kernel), { ...everything, ...options });

const chosen = (result: ProbePlan): string[] => result.chosen.map(({ fragment }) => fragment.name);
const reasons = ({ refused }: ProbePlan, name: string) =>
  refused.find(({ fragment }) => fragment === name)?.reasons ?? [];

const source = (name: string, rank: number, probe: string, ...more: string[]): Fragment =>
  fragmentOf(name, {
    header: ['mode watch', 'tells reads', `rank ${rank}`, 'cost none', ...more],
    body: `${probe}\n{\n  $f = arg0;\n  //@ hook read: $f\n}\n`,
  });
const reads = fragmentOf('proc-reads', {
  header: ['mode watch', 'provides reads', 'needs event reads', 'cost none', 'prints @reads'],
  body: '//@ at reads read\n  @reads[$f] = count();\n',
});
const byFentry = source('reads-fentry', 10, 'kfunc:seq_read');
const byKprobe = source('reads-kprobe', 20, 'kprobe:seq_read');
const marks = fragmentOf('opens-tracepoint', {
  header: ['mode watch', 'tells opens', 'rank 30', 'cost none'],
  body: 'tracepoint:a:open\n{\n  //@ hook opened: nothing\n}\n',
});
const opensByFentry = fragmentOf('opens-fentry', {
  header: ['mode watch', 'tells opens', 'rank 10', 'cost none'],
  body: 'kfunc:pid_maps_open\n{\n  //@ hook opened: nothing\n}\n',
});
const opens = fragmentOf('proc-opens', {
  header: ['mode watch', 'provides opens', 'needs event opens', 'cost none', 'prints @opens'],
  body: '//@ at opens opened\n  @opens = count();\n',
});
const byTracepoint = source('reads-tracepoint', 30, 'tracepoint:a:read', 'needs fragment opens-tracepoint');
const all = [reads, byTracepoint, byKprobe, byFentry, opens, marks, opensByFentry];

const full: FakeKernel = {
  kprobes: true,
  functionTracing: 'readable',
  symbols: { seq_read: 1, pid_maps_open: 1 },
  functions: ['seq_read', 'pid_maps_open'],
  tracepoints: { 'a:read': [], 'a:open': [] },
};

test('of the sources that a host can run the cheapest runs, and tells where the observation comes from', () => {
  const result = plan(all, full);
  assert.deepEqual(chosen(result), ['opens-fentry', 'reads-fentry', 'proc-opens', 'proc-reads']);
  assert.equal(result.observables.reads.source, 'reads-fentry');
  assert.deepEqual(reasons(result, 'reads-kprobe'), [
    { code: 'covered_by_other', detail: 'reads-fentry tells of reads at less cost' },
  ]);
  assert.match(
    joinProgram(result.chosen).text,
    /kfunc:seq_read\n\{\n {2}\$f = arg0;\n.*hook.*\n.*at reads read.*\n {2}@reads/,
  );
});

test('each host has the next best source', () => {
  assert.deepEqual(chosen(plan(all, { ...full, functionTracing: 'refused' })), [
    'reads-kprobe',
    'opens-tracepoint',
    'proc-opens',
    'proc-reads',
  ]);
  assert.deepEqual(chosen(plan(all, full, { allow: ['tracepoint'] })), [
    'opens-tracepoint',
    'reads-tracepoint',
    'proc-opens',
    'proc-reads',
  ]);
  const rejected = new Map([['reads-fentry', 'the verifier says no']]);
  assert.equal(plan(all, full, { rejected }).observables.reads.source, 'reads-kprobe');
});

test('a source that another source needs is preferred to a cheaper one, where nothing else tells', () => {
  const rejected = new Map([
    ['reads-fentry', 'no'],
    ['reads-kprobe', 'no'],
  ]);
  const result = plan(all, full, { rejected });
  assert.equal(result.observables.reads.source, 'reads-tracepoint');
  assert.equal(result.observables.opens.source, 'opens-tracepoint');
  assert.deepEqual(
    reasons(result, 'opens-fentry').map(({ code }) => code),
    ['covered_by_other'],
  );
});

test('a source of which nobody makes anything does not run', () => {
  const result = plan(all, full, { disable: ['proc-reads'], allow: ['tracepoint'] });
  assert.deepEqual(chosen(result), ['opens-tracepoint', 'proc-opens']);
  assert.deepEqual(reasons(result, 'reads-tracepoint'), [
    { code: 'nothing_needs_it', detail: 'nothing that runs makes use of reads' },
  ]);
  // neither does one that only such a source would need
  const none = plan(all, full, { disable: ['proc-reads', 'proc-opens'], allow: ['tracepoint'] });
  assert.deepEqual(chosen(none), []);
});

test('where no source can run, what needs the event says why its cheapest source does not', () => {
  const result = plan(all, { ...full, functionTracing: 'absent', kprobes: false, tracepoints: {} });
  assert.deepEqual(reasons(result, 'proc-reads'), [
    {
      code: 'kernel_lacks_function_tracing',
      detail: 'nothing tells of reads here: this kernel does not let functions be traced (fentry)',
    },
  ]);
});

test('an addition that need not run goes to its hook where that is there', () => {
  const retries = fragmentOf('retries', {
    header: ['mode watch', 'provides retries', 'cost none', 'prints @r'],
    body: 'tracepoint:a:open\n{\n  @r = count();\n  //@ hook reader: nothing\n}\n',
  });
  const marking = fragmentOf('marking', {
    header: ['mode watch', 'provides waits', 'cost none'],
    body: 'tracepoint:a:read\n{\n  @m = count();\n}\n\n//@ at retries reader if it runs\n  @marked[pid] = 1;\n',
  });
  const text = (...fragments: Fragment[]): string => joinProgram(plan(fragments, full).chosen).text;
  assert.match(text(retries, marking), /@r = count\(\);\n.*hook reader.*\n.*at retries.*\n {2}@marked/);
  assert.deepEqual(chosen(plan([marking], full)), ['marking']);
  assert.doesNotMatch(text(marking), /@marked/);
  const alone = plan([retries, marking], full);
  assert.doesNotMatch(
    scriptOf(alone.chosen.find(({ fragment }) => fragment === marking)!, alone.chosen).text,
    /@r = /,
    'by hand neither',
  );
});

test('an event that nobody tells of, or a hook that one of its sources lacks, is a mistake', () => {
  const names = new Set(['proc-reads', 'reads-fentry', 'reads-kprobe']);
  const lacking = fragmentOf('reads-kprobe', {
    header: ['mode watch', 'tells reads', 'cost none'],
    body: 'kprobe:seq_read\n{\n}\n',
  });
  assert.deepEqual(
    [...dependencyProblems([reads], names)],
    [['proc-reads', 'it needs the event reads, of which no fragment tells']],
  );
  assert.deepEqual(
    [...dependencyProblems([reads, byFentry, lacking], names)],
    [['proc-reads', 'it adds to the hook "read", which reads-kprobe does not have']],
  );
});

test('a probe that is run if there is left out with its block, and other lines keep their numbers', () => {
  const two = fragmentOf('two', {
    header: ['mode watch', 'provides reads', 'cost none', 'prints @a'],
    body: 'kfunc:seq_read\n{\n  @a = count();\n}\n\nkfunc:pagemap_read // if there\n{\n  @a = count();\n}\n\nkfunc:pid_maps_open\n{\n  @a = count();\n}\n',
  });
  const choice = plan([two], full).chosen[0]!;
  assert.deepEqual(
    choice.fragment.probes.map(({ target }) => target),
    ['seq_read', 'pid_maps_open'],
  );
  const program = joinProgram([choice]);
  assert.doesNotMatch(program.text, /pagemap_read/);
  const line = program.text.split('\n').findIndex((text) => text.startsWith('kfunc:pid_maps_open'));
  assert.equal(program.originOf(line + 1)?.line, two.lines.indexOf('kfunc:pid_maps_open') + 1);
  assert.deepEqual(
    chosen(plan([two], { ...full, functionTracing: 'refused' })),
    [],
    'and is no way round a refusal',
  );
  for (const line of [
    'tracepoint:a:b // if there',
    'kfunc:pid_maps_open // if there is seq_read',
    'tracepoint:a:b, // if there is seq_read\ntracepoint:a:c',
  ])
    assert.throws(
      () => fragmentOf('x', { body: `${line}\n{\n}\n` }),
      /a tracepoint "if there is FUNCTION"/,
      line,
    );
});

test('a tracepoint that is run if a function is there is left out where the kernel lacks that function', () => {
  const two = fragmentOf('two', {
    header: ['mode watch', 'provides reads', 'cost none', 'prints @a'],
    body: 'tracepoint:a:read\n{\n  @a = count();\n}\n\ntracepoint:a:open // if there is seq_read\n{\n  @a = count();\n}\n',
  });
  const targets = (kernel: FakeKernel): (readonly string[])[] =>
    plan([two], kernel).chosen.map(({ fragment }) => fragment.probes.map(({ target }) => target));
  assert.deepEqual(targets(full), [['a:read', 'a:open']]);
  assert.deepEqual(targets({ ...full, symbols: { pid_maps_open: 1 } }), [['a:read']]);
  assert.ok(
    askedOfKernel({ fragments: [two], problems: [] }).symbols.has('seq_read'),
    'the profile is asked',
  );
});

test('where a block is refused, its source goes first; by tracepoints, the last there is, what was added last', () => {
  const blocks = fragmentOf('blocks', {
    header: ['mode watch', 'provides blocks', 'needs fragment proc-reads', 'cost none', 'prints @b'],
    body: '//@ at proc-reads counted\n  @b = count();\n',
  });
  const hooked = fragmentOf('proc-reads', {
    header: ['mode watch', 'provides reads', 'needs event reads', 'cost none', 'prints @reads'],
    body: '//@ at reads read\n  @reads[$f] = count();\n  //@ hook counted: nothing\n',
  });
  const program = joinProgram(plan([byFentry, hooked, blocks], full).chosen);
  const message = 'ERROR: Error loading program: kfunc:vmlinux:seq_read';
  // fexit of seq_read() before Linux 5.18: it was proc-reads that was given up, and reads were lost.
  assert.equal(program.fragmentNamedIn(message)?.fragment, 'reads-fentry');
  assert.equal(program.fragmentNamedIn(message, true)?.fragment, 'reads-fentry');
  const last = joinProgram(plan([byTracepoint, marks, hooked, blocks], full).chosen);
  const refused = 'ERROR: Error loading program: tracepoint:a:read';
  assert.equal(last.fragmentNamedIn(refused)?.fragment, 'blocks');
  assert.equal(last.fragmentNamedIn(refused, true)?.fragment, 'reads-tracepoint');
});

test('what is shipped: the ends of threads and processes have one owner, and every hook of it is one of use', async () => {
  const { fragments } = await readCatalog(path.join(packageRoot, 'bpf'));
  const owners = fragments.filter(({ probes }) =>
    probes.some(({ target }) => /^sched:sched_process_(?:exit|free|exec)$/.test(target)),
  );
  assert.deepEqual(
    owners.map(({ name }) => name),
    ['exits-tracepoint'],
  );
  const ends = fragments.flatMap(({ additions }) => additions.filter(({ to }) => to === 'exits'));
  assert.deepEqual([...new Set(ends.map(({ hook }) => hook))].sort(), [
    'kept_gone',
    'process_gone',
    'reader_gone',
    'thread_gone',
  ]);
});

test('what is shipped: releases of locks are not listened to where every spin_unlock() would pay for it', async () => {
  const catalog = await readCatalog(path.join(packageRoot, 'bpf'));
  const releases = catalog.fragments.find(({ name }) => name === 'releases')!;
  const alone = { ...releases, constants: [], needs: { ...releases.needs, fragments: [] } };
  const listens = (symbols: FakeKernel['symbols'], problems: FakeKernel['problems'] = []) => {
    const result = plan([alone], {
      tracepoints: { 'lock:contended_release': ['lock_addr'] },
      symbols: symbols ?? {},
      problems,
    });
    return chosen(result).length > 0 ? 'listens' : reasons(result, 'releases').map(({ code }) => code);
  };
  assert.equal(listens({}), 'listens', '7.2');
  assert.deepEqual(listens({ queued_spin_release_traced: 1 }), ['too_dear']);
  assert.deepEqual(
    listens({}, [new MmaplockError('kallsyms_unreadable', 'no')]),
    ['too_dear'],
    'what cannot be told is not taken for absent',
  );
  assert.ok(askedOfKernel(catalog).symbols.has('queued_spin_release_traced'), 'the profile is asked');
});

test('what is shipped: one source of each event for each kind of host', async () => {
  const { fragments } = await readCatalog(path.join(packageRoot, 'bpf'));
  for (const event of ['contention', 'opens', 'reads', 'queries', 'acquisitions']) {
    const kinds = fragments.filter(({ tells }) => tells === event).map(({ name }) => name.split('-').at(-1));
    assert.ok(kinds.includes('tracepoint') && kinds.includes('kprobe'), `${event}: ${kinds.join(', ')}`);
  }
  for (const { name, tells, probes } of fragments) {
    if (tells === undefined) continue;
    assert.ok(name.startsWith(`${tells}-`), `${name}: its name says what it tells and how`);
    const kind = name.slice(tells.length + 1).replace(/-rt$/, '');
    for (const probe of probes) assert.ok(probe.kind === kind || kind === 'tracepoint');
  }
});

const without = (pattern: RegExp, { members = {}, ...kernel }: FakeKernel): FakeKernel => ({
  ...kernel,
  members: Object.fromEntries(Object.entries(members).filter(([name]) => !pattern.test(name))),
});

test('what is shipped, on PREEMPT_RT: waits by its own source, and the rest is told by name', async () => {
  const { fragments } = await readCatalog(path.join(packageRoot, 'bpf'));
  const all = { kprobes: true, functionTracing: 'readable' } as const;
  const rt = without(/^rw_semaphore\./, kernelFor(fragments, all));
  const { observables } = plan(fragments, rt);
  assert.deepEqual(observables.waits, { observed: true, source: 'contention-tracepoint-rt' });
  assert.equal(observables.blocks.reason?.code, 'preempt_rt');
  const old = plan(fragments, without(/^rw_semaphore\.|^rwbase_rt\./, kernelFor(fragments, all)));
  assert.equal(old.observables.waits.observed, false);
  assert.equal(old.observables.waits.reason?.code, 'preempt_rt', 'never a quiet 0');
});

test('what is shipped, elsewhere: waits by fentry, by tracepoints, and by kprobes last', async () => {
  const { fragments } = await readCatalog(path.join(packageRoot, 'bpf'));
  const kernel = without(
    /^rwbase_rt\./,
    kernelFor(fragments, { kprobes: true, functionTracing: 'readable' }),
  );
  const source = (options: Partial<PlanOptions>, more: Partial<FakeKernel> = {}) =>
    plan(fragments, { ...kernel, ...more }, options).observables.waits.source;
  assert.equal(source({}), 'contention-fentry');
  assert.equal(source({}, { upstream: [5, 10, 29] }), 'contention-tracepoint');
  assert.equal(source({ allow: ['tracepoint', 'kprobe'] }), 'contention-tracepoint');
  assert.equal(
    source({ rejected: new Map([['contention-fentry', 'BTF data not available']]) }),
    'contention-tracepoint',
  );
  const { 'lock:contention_begin': _, ...tracepoints } = kernel.tracepoints ?? {};
  assert.equal(source({ allow: ['tracepoint', 'kprobe'] }, { tracepoints }), 'contention-kprobe');
});
