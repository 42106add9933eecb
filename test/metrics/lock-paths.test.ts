import assert from 'node:assert/strict';
import { test } from 'node:test';
import { samplesOf } from '../support/exposition.js';
import { quietDaemon, silentDaemon } from '../support/scenes.js';

const family = 'mmaplock_proc_file_lock_path_info';

test('the lock path of each file is told before any tracer runs: the kernel alone decides it', async () => {
  assert.deepEqual(
    samplesOf(await silentDaemon().text(), family).map(({ labels, value }) => [labels, value]),
    [
      [{ file: 'maps', path: 'per_vma_lock' }, 1],
      [{ file: 'smaps', path: 'mmap_lock' }, 1],
    ],
  );
});

test('a file whose path is not known has no series', async () => {
  const daemon = quietDaemon({
    lockPaths: [{ file: 'maps', path: 'rcu_snapshot', by: 'both', evidence: 'vma_copy is there.' }],
  });
  assert.deepEqual(
    samplesOf(await daemon.text(), family).map(({ labels }) => labels),
    [{ file: 'maps', path: 'rcu_snapshot' }],
  );
});
