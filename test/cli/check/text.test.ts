import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CheckReport } from '../../../src/cli/check/report.js';
import { checkText } from '../../../src/cli/check/text.js';
import { FakeDaemon } from '../../support/daemon.js';

const report = (more: Partial<CheckReport> = {}): CheckReport => ({
  version: '1.0.0',
  verdict: 'partial',
  kernel: new FakeDaemon().view.kernel,
  bpftrace: { path: '/usr/bin/bpftrace', version: '0.23.2', works: true, seconds: 1.25 },
  refused: null,
  problems: [],
  lock_paths: [
    { file: 'maps', path: 'per_vma_lock', by: 'evidence', evidence: 'lock_next_vma is there.' },
    { file: 'smaps', path: 'mmap_lock', by: 'both', evidence: 'So it is.' },
    { file: 'pagemap', path: 'mmap_lock', by: 'evidence', evidence: 'So it was.' },
  ],
  observables: [
    { what: 'waits', observed: true, source: 'contention-tracepoint' },
    { what: 'holds', observed: false, reason: { code: 'inspect_only', detail: 'runs only while asked to' } },
  ],
  fragments: [
    { fragment: 'waits', chosen: true, summary: 'Who waits.', cost: '1.1 us a wait', reasons: [] },
    {
      fragment: 'lock-path',
      chosen: false,
      summary: 'How files are served.',
      cost: 'little',
      reasons: [{ code: 'start_only', detail: 'at the start' }],
    },
    ...['opens-kprobe', 'reads-kprobe'].map((fragment) => ({
      fragment,
      chosen: false,
      reasons: [{ code: 'kernel_lacks_kprobes', detail: 'this kernel has no kprobes' }],
    })),
  ],
  inspect: { available: true, fragments: ['holds'] },
  limits: [],
  other_daemon: null,
  ...more,
});

const lineWith = (text: string, part: string): number =>
  text.split('\n').findIndex((line) => line.includes(part));

test('the verdict is the first line, and what is observed is told in words, with what tells it', () => {
  const text = checkText(report());
  assert.match(text, /^Partial: /);
  assert.match(text, /yes waits +who waits for mmap_lock.*\n +by contention-tracepoint\n/);
  assert.match(text, /no {2}holds +how often readers held the lock.*\n +inspect_only: runs only/);
});

test('what a file does to a process is told before how that is known, each lock path explained once', () => {
  const text = checkText(report());
  assert.match(text, /smaps +mmap_lock +holds the lock of the whole address space\n/);
  assert.match(text, /maps +per_vma_lock +locks one mapping at a time\n/);
  assert.match(text, /clear_refs +unknown +not known\n/);
  assert.equal(text.match(/^ {2}mmap_lock: While it reads/gm)?.length, 1);
  assert.doesNotMatch(text, /rcu_snapshot/);
  assert.ok(lineWith(text, 'holds the lock of') < lineWith(text, 'So it is.'));
});

test('fragments that one reason keeps from running are told together', () => {
  const text = checkText(report());
  assert.match(text, /kernel_lacks_kprobes: this kernel has no kprobes\n +opens-kprobe, reads-kprobe\n/);
  assert.match(text, /always {2}waits: Who waits\.\n +cost: 1\.1 us a wait\n/);
  assert.match(text, /once +lock-path: How files are served\.\n/);
});

test('what is empty has no title, and another daemon is named', () => {
  assert.doesNotMatch(checkText(report()), /cannot see|Another/);
  const text = checkText(
    report({ other_daemon: '127.0.0.1:10465', limits: [{ code: 'spin', text: 'Spins.' }] }),
  );
  assert.match(text, /\nWhat this cannot see\n {2}Spins\.\n\nAnother mmaplockd runs on this host: 127/);
});

test('a program that does not start is told beside the bpftrace that works', () => {
  const refused = { code: 'program_rejected', message: 'bpftrace ended with 1: no', fix: 'Look.' };
  assert.match(
    checkText(report({ verdict: 'blind', refused })),
    /^Blind: [\s\S]*works, a program.*\nthe program of run: program_rejected: bpftrace ended with 1: no\. Look\.\n/,
  );
});

test('blind by choice is not told as a fault of the host', () => {
  const bpftrace = {
    works: false,
    code: 'probes_switched_off',
    message: 'not tried',
    fix: 'Allow some.',
  } as const;
  assert.match(checkText(report({ verdict: 'blind', bpftrace })), /^Blind by choice: /);
  const missing = { ...bpftrace, code: 'bpftrace_missing' } as const;
  assert.match(checkText(report({ verdict: 'blind', bpftrace: missing })), /^Blind: nothing can be observed/);
});
