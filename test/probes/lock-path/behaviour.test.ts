import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConstant } from '../../../src/probes/constants.js';
import {
  behaviourOf,
  contradicted,
  type OwnReads,
  ownReadsOf,
  settleLockPaths,
} from '../../../src/probes/lock-path/behaviour.js';
import { type LockPathEvidence, lockPathNumber } from '../../../src/probes/lock-path/evidence.js';
import type { LockPath, ProcFile } from '../../../src/vocabulary.js';
import { fakeKernel } from '../fake.js';

const own = (file: ProcFile, reads: number, takes: number, fills: number): OwnReads => ({
  file,
  reads,
  takes,
  fills,
});

/** pagemap as every kernel up to 7.3 serves it: once to untag the address, once for the 2 MiB. */
const pagemap = own('pagemap', 64, 128, 128);

/** As they were seen, with this program: on the hosts of test/kernels, and on 6.18. */
const measured: Readonly<Record<string, { seen: readonly OwnReads[]; paths: Record<string, LockPath> }>> = {
  '6.1 and 6.12: each read() holds it': {
    seen: [own('maps', 64, 64, 64), own('smaps', 8, 8, 8), own('smaps_rollup', 8, 8, 8), pagemap],
    paths: { maps: 'mmap_lock', smaps: 'mmap_lock', smaps_rollup: 'mmap_lock', pagemap: 'mmap_lock' },
  },
  '6.12 with the patch of 2024: a moment at the begin of each read() of maps': {
    seen: [own('maps', 64, 64, 0), own('smaps', 8, 8, 8), pagemap],
    paths: { maps: 'rcu_snapshot', smaps: 'mmap_lock', pagemap: 'mmap_lock' },
  },
  '6.18: maps locks VMAs': {
    seen: [own('maps', 64, 0, 0), own('smaps', 19, 19, 19), own('numa_maps', 20, 20, 20), pagemap],
    paths: { maps: 'per_vma_lock', smaps: 'mmap_lock', numa_maps: 'mmap_lock', pagemap: 'mmap_lock' },
  },
  '7.2: smaps and numa_maps do, too': {
    seen: [own('maps', 64, 0, 0), own('smaps', 8, 0, 0), own('smaps_rollup', 8, 8, 8), pagemap],
    paths: {
      maps: 'per_vma_lock',
      smaps: 'per_vma_lock',
      smaps_rollup: 'mmap_lock',
      pagemap: 'mmap_lock',
    },
  },
};

for (const [name, { seen, paths }] of Object.entries(measured))
  test(`the reads tell the lock path: ${name}`, () => {
    assert.deepEqual(Object.fromEntries(behaviourOf(seen)), paths);
  });

const pathOf = (seen: OwnReads): LockPath | undefined => behaviourOf([seen, pagemap]).get(seen.file);

test('a retry now and then, or a reader that lets others pass, changes nothing', () => {
  assert.equal(pathOf(own('maps', 64, 3, 1)), 'per_vma_lock', 'another thread maps meanwhile');
  assert.equal(pathOf(own('maps', 64, 70, 5)), 'rcu_snapshot');
  assert.equal(pathOf(own('smaps_rollup', 8, 31, 8)), 'mmap_lock', 'it let writers pass');
  assert.equal(pathOf(own('smaps', 64, 63, 63)), 'mmap_lock', 'one read was not seen');
});

test('what is in between, or not read at all, decides nothing', () => {
  assert.equal(pathOf(own('maps', 64, 32, 0)), undefined);
  assert.equal(pathOf(own('maps', 64, 64, 32)), undefined);
  assert.equal(pathOf(own('maps', 0, 0, 0)), undefined);
});

test('where no read was seen to take the lock, it is open whether reads are seen', () => {
  assert.equal(behaviourOf([own('maps', 64, 0, 0), own('pagemap', 64, 0, 0)]).size, 0);
  assert.equal(behaviourOf([]).size, 0);
});

const evidence = (file: ProcFile, path: LockPath): LockPathEvidence => ({
  file,
  path,
  by: 'evidence',
  evidence: `BTF says ${path}.`,
});

test('what both say alike keeps its evidence, with a remark', () => {
  assert.deepEqual(
    settleLockPaths(
      [evidence('maps', 'per_vma_lock'), evidence('pagemap', 'mmap_lock')],
      [own('maps', 64, 0, 0), pagemap],
    ),
    [
      {
        file: 'maps',
        path: 'per_vma_lock',
        by: 'both',
        evidence: 'BTF says per_vma_lock. Seen at the start: 64 reads took mmap_lock 0 times.',
      },
      {
        file: 'pagemap',
        path: 'mmap_lock',
        by: 'both',
        evidence:
          'BTF says mmap_lock. Seen at the start: 64 reads took mmap_lock 128 times, and filled their buffer under it.',
      },
    ],
  );
});

test('behaviour overrules BTF and symbols, and the log is told of each such file', () => {
  const before = [
    evidence('maps', 'mmap_lock'),
    evidence('smaps', 'per_vma_lock'),
    evidence('pagemap', 'mmap_lock'),
  ];
  const settled = settleLockPaths(before, [own('maps', 64, 64, 0), own('smaps', 9, 9, 9), pagemap]);
  assert.deepEqual(
    settled.map(({ file, path, by }) => [file, path, by]),
    [
      ['maps', 'rcu_snapshot', 'behaviour'],
      ['smaps', 'mmap_lock', 'behaviour'],
      ['pagemap', 'mmap_lock', 'both'],
    ],
  );
  assert.equal(
    settled[0]?.evidence,
    'Seen at the start: 64 reads took mmap_lock 64 times, and let go of it before they filled their buffer. ' +
      'Its BTF and symbols speak for mmap_lock: BTF says mmap_lock.',
  );
  assert.deepEqual(contradicted(before, settled), settled.slice(0, 2));
});

test('a file that BTF and symbols leave open is told by behaviour, which contradicts nothing', () => {
  const before = [evidence('pagemap', 'mmap_lock')];
  const settled = settleLockPaths(before, [own('maps', 64, 1, 0), pagemap]);
  assert.deepEqual(settled[0], {
    file: 'maps',
    path: 'per_vma_lock',
    by: 'behaviour',
    evidence:
      'Seen at the start: 64 reads took mmap_lock once, and let go of it before they filled their buffer.',
  });
  assert.deepEqual(contradicted(before, settled), []);
});

test('what behaviour does not decide stays as it was, and says so', () => {
  const before = [evidence('maps', 'per_vma_lock'), evidence('clear_refs', 'mmap_lock')];
  const [maps, , clearRefs] = settleLockPaths(before, [own('maps', 64, 32, 8), pagemap]);
  assert.deepEqual(maps, {
    ...before[0],
    evidence:
      'BTF says per_vma_lock. Seen at the start: 64 reads took mmap_lock 32 times, and filled their buffer under it 8 times: this decides nothing.',
  });
  assert.deepEqual(clearRefs, before[1], 'it was not tried out');
  assert.deepEqual(settleLockPaths(before, []), before);
  assert.deepEqual(settleLockPaths(before, [own('maps', 64, 0, 0)]), before, 'nothing was seen');
});

test('what was settled is what fragments see', () => {
  const kernel = fakeKernel({ symbols: { pid_smaps_open: 1 } });
  const settled = settleLockPaths([evidence('smaps', 'mmap_lock')], [own('smaps', 9, 0, 0), pagemap]);
  assert.equal(lockPathNumber(settled, 'smaps'), 3);
  const constant = { name: 'P', source: { from: 'host', of: 'lock_path.smaps' } } as const;
  assert.equal(resolveConstant(constant, kernel, { lockPaths: settled }), 3);
  assert.equal(resolveConstant(constant, kernel), 1);
});

test('a file is told by its descriptor, and pagemap fills its buffer whenever it takes the lock', () => {
  const done = ['maps', 'smaps', 'pagemap', 'clear_refs'].map((name, index) => ({
    name,
    descriptor: 21 + index,
    calls: 9,
    reads: 8,
  }));
  const counted = [
    { descriptor: 22, takes: 8, fills: 7 },
    { descriptor: 23, takes: 16, fills: 0 },
    { descriptor: 24, takes: 1, fills: 1 },
  ];
  assert.deepEqual(ownReadsOf(done, counted), [
    own('maps', 8, 0, 0),
    own('smaps', 8, 8, 7),
    own('pagemap', 8, 16, 16),
  ]);
});
