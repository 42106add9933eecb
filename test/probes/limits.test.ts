import assert from 'node:assert/strict';
import path from 'node:path';
import { before, test } from 'node:test';
import { packageRoot } from '../../src/package-root.js';
import { readCatalog } from '../../src/probes/catalog.js';
import type { Fragment } from '../../src/probes/fragment/fragment.js';
import { limitsOf } from '../../src/probes/limits.js';

/** Those of a host without function probes: of each event the source by tracepoints. */
let all: readonly Fragment[];
let fragments: readonly Fragment[];
before(async () => {
  ({ fragments: all } = await readCatalog(path.join(packageRoot, 'bpf')));
  fragments = all.filter(
    ({ name, tells }) => name !== 'vma-waits' && (tells === undefined || name.endsWith('-tracepoint')),
  );
});

/** A plan in which all fragments run but these; all constants are known but those that are given. */
const without = (names: readonly string[], values: Readonly<Record<string, number>> = {}) => ({
  chosen: fragments
    .filter(({ name }) => !names.includes(name))
    .map((fragment) => ({
      fragment,
      constants: new Map(fragment.constants.map(({ name }) => [name, values[name] ?? 1])),
    })),
});

const codesWithout = (...names: readonly string[]): string[] =>
  limitsOf(without(names)).map(({ code }) => code);

/** Those that need the reads of readers. */
const onRetries = ['retries', 'convoys', 'stalls'];
const onReads = ['reads-tracepoint', 'proc-reads', 'procmap-query', 'reader-waits', 'blocks', ...onRetries];

test('with all fragments: what cannot be seen of waits, readers, retries and blocks', () => {
  assert.deepEqual(codesWithout(), [
    'short_waits',
    'ongoing_waits',
    'skipped_waits',
    'waits_in_exit_mmap',
    'vma_waits',
    'io_uring',
    'compat_syscalls',
    'clear_refs_writes',
    'passed_descriptors',
    'skipped_probes',
    'self_waits',
    'readers_without_syscall',
    'self_retries',
    'retries_without_lock',
    'fifth_reader',
    'remote_blocks',
    'map_files_links',
    'queue_length',
    'convoys_without_lock',
    'reader_delays',
  ]);
});

test('without retries nothing is said of them, blocks have no windows, and passed descriptors stay unseen', () => {
  assert.deepEqual(codesWithout(...onRetries), [
    'short_waits',
    'ongoing_waits',
    'skipped_waits',
    'waits_in_exit_mmap',
    'vma_waits',
    'io_uring',
    'compat_syscalls',
    'clear_refs_writes',
    'passed_descriptors',
    'skipped_probes',
    'self_waits',
    'readers_without_syscall',
    'no_windows',
    'remote_blocks',
    'map_files_links',
  ]);
  const passed = (...names: readonly string[]) =>
    limitsOf(without(names)).find(({ code }) => code === 'passed_descriptors')?.text;
  assert.match(passed() ?? '', /until they first take the lock/);
  assert.doesNotMatch(passed(...onRetries) ?? '', /until/);
});

test('only opens: nothing is said of reads and what follows from them', () => {
  assert.deepEqual(codesWithout(...onReads), [
    'short_waits',
    'ongoing_waits',
    'skipped_waits',
    'waits_in_exit_mmap',
    'vma_waits',
    'io_uring',
    'compat_syscalls',
  ]);
});

test('only waits, and nothing at all', () => {
  assert.deepEqual(codesWithout(...onReads, 'opens-tracepoint', 'proc-opens'), [
    'short_waits',
    'ongoing_waits',
    'skipped_waits',
    'waits_in_exit_mmap',
    'vma_waits',
  ]);
  assert.deepEqual(limitsOf({ chosen: [] }), []);
});

test('a kprobe has room for so many waits at once, and that is said', () => {
  const chosen = all
    .filter(({ name, tells }) => tells === undefined || name.endsWith('-kprobe'))
    .map((fragment) => ({ fragment, constants: new Map<string, number>() }));
  assert.ok(limitsOf({ chosen }).some(({ code }) => code === 'waits_at_once'));
});

test('with function probes readers are seen however they read', () => {
  const chosen = all
    .filter(({ name, tells }) => tells === undefined || name.endsWith('-fentry'))
    .map((fragment) => ({ fragment, constants: new Map<string, number>() }));
  assert.deepEqual(
    limitsOf({ chosen }).map(({ code }) => code),
    [
      'short_waits',
      'waits_without_sleep',
      'ongoing_waits',
      'skipped_waits',
      'waits_in_exit_mmap',
      'clear_refs_opens',
      'refused_buffers',
      'skipped_probes',
      'self_waits',
      'readers_without_syscall',
      'self_retries',
      'retries_without_lock',
      'fifth_reader',
      'remote_blocks',
      'map_files_links',
      'queue_length',
      'convoys_without_lock',
      'vma_readers',
      'reader_delays',
    ],
  );
});

test('a daemon that the tracer cannot tell by its pid does not find files opened before', () => {
  const codes = (daemonPid: number, ...names: readonly string[]) =>
    limitsOf(without(names, { DAEMON_PID: daemonPid })).map(({ code }) => code);
  assert.ok(codes(0).includes('opened_before'));
  assert.ok(!codes(4711).includes('opened_before'));
  assert.ok(!codes(0, ...onReads).includes('opened_before'), 'where nothing is read, nobody is asked after');
});

test('each limit is one sentence, and no code stands twice', () => {
  for (const names of [[], onRetries]) {
    const limits = limitsOf(without(names));
    assert.equal(new Set(limits.map(({ code }) => code)).size, limits.length);
    for (const { code, text } of limits) {
      assert.match(code, /^[a-z_]+$/);
      assert.match(text, /^[A-Z].*[^.]\.$/, code);
    }
  }
});
