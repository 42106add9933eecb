import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BlockFile } from '../../src/ledger/lists/block-list.js';
import { type FileCount, isShown } from '../../src/metrics/proc-files.js';
import type { ProbePlan } from '../../src/probes/plan.js';
import { procFiles, unknown } from '../../src/vocabulary.js';
import { choiceOf, planOf } from '../support/daemon.js';

const files: readonly BlockFile[] = [...procFiles, unknown];

/** A plan that runs these probes, each in a fragment of its own. */
const running = (...probes: readonly string[]): ProbePlan =>
  planOf([], {
    chosen: probes.map((probe, index) =>
      choiceOf({ name: `sample-${index}`, summary: 'A sample.', provides: [], probe }),
    ),
  });

const shownAtZero = (count: FileCount, plan: ProbePlan): BlockFile[] =>
  files.filter((file) => isShown(count, file, 0, plan));

const read = 'tracepoint:syscalls:sys_exit_read';

for (const [count, foreseen] of [
  ['opens', ['maps', 'smaps', 'smaps_rollup', 'numa_maps', 'pagemap', 'clear_refs', 'map_files']],
  ['reads', ['maps', 'smaps', 'smaps_rollup', 'numa_maps', 'pagemap']],
  ['retries', ['maps', 'smaps', 'smaps_rollup', 'numa_maps']],
  ['fallbacks', ['maps', 'smaps', 'numa_maps']],
  ['waits', ['maps', 'smaps', 'smaps_rollup', 'numa_maps', 'pagemap', 'clear_refs', 'remote', 'map_files']],
  ['blocks', ['maps', 'smaps', 'smaps_rollup', 'numa_maps', 'pagemap', 'clear_refs', 'map_files', unknown]],
] as const)
  test(`${count} by tracepoints of system calls are foreseen for the files that have them`, () =>
    assert.deepEqual(shownAtZero(count, running(read)), foreseen));

for (const probe of [
  'tracepoint:syscalls:sys_exit_ioctl',
  'fentry:procfs_procmap_ioctl',
  'kprobe:procfs_procmap_ioctl',
])
  test(`procmap_query is foreseen where ${probe} runs; it has neither opens nor fallbacks`, () => {
    for (const count of ['reads', 'retries', 'waits', 'blocks'] as const) {
      assert.equal(isShown(count, 'procmap_query', 0, running(read, probe)), true, count);
      assert.equal(isShown(count, 'procmap_query', 0, running(read)), false, count);
    }
    for (const count of ['opens', 'fallbacks'] as const)
      assert.equal(isShown(count, 'procmap_query', 0, running(probe)), false, count);
  });

test('procmap_query is not foreseen where the end of ioctl() tells of reads alone: those are of pagemap', () => {
  const [sample] = running('tracepoint:syscalls:sys_exit_ioctl').chosen;
  const scans = planOf([], { chosen: [{ ...sample!, fragment: { ...sample!.fragment, tells: 'reads' } }] });
  assert.equal(isShown('reads', 'procmap_query', 0, scans), false);
  assert.equal(isShown('reads', 'pagemap', 0, scans), true);
});

test('reads of map_files are foreseen where a probe sees it listed, its opens where all opens are looked at', () => {
  for (const probe of ['tracepoint:syscalls:sys_exit_getdents64', 'fexit:proc_map_files_readdir'])
    assert.equal(isShown('reads', 'map_files', 0, running(probe)), true, probe);
  assert.equal(isShown('reads', 'map_files', 0, running(read)), false);
  assert.equal(isShown('opens', 'map_files', 0, running('fexit:pid_maps_open')), false);
});

test('reads of clear_refs are foreseen where a probe sees its write(), whatever kind it is', () => {
  for (const probe of ['fentry:clear_refs_write', 'fexit:clear_refs_write', 'kretprobe:clear_refs_write'])
    assert.equal(isShown('reads', 'clear_refs', 0, running(read, probe)), true, probe);
  assert.equal(isShown('reads', 'clear_refs', 0, running(read, 'kprobe:clear_refs')), false);
});

test('opens of clear_refs are not foreseen where opens are told by the functions of the files: it has none', () => {
  for (const probe of ['fexit:pid_maps_open', 'kretprobe:pid_maps_open'])
    assert.deepEqual(
      shownAtZero('opens', running(probe)),
      ['maps', 'smaps', 'smaps_rollup', 'numa_maps', 'pagemap'],
      probe,
    );
  assert.equal(isShown('opens', 'clear_refs', 0, running('tracepoint:syscalls:sys_exit_openat')), true);
});

test('what was counted is shown, whether foreseen or not', () => {
  const counts: readonly FileCount[] = ['opens', 'reads', 'retries', 'fallbacks', 'waits', 'blocks'];
  for (const file of files)
    for (const count of counts) assert.equal(isShown(count, file, 1, running()), true, `${count} ${file}`);
});
