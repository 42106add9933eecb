import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adviceFor } from '../../src/evidence/advice.js';
import { freeingKernel, knownReaders } from '../../src/evidence/advice-data.js';
import type { LockPath, ProcFile } from '../../src/vocabulary.js';
import { epoch } from '../support/daemon.js';
import { incidentOf } from '../support/incidents.js';
import { stall, stallReader } from '../support/records.js';

const ms = 1e6;
const adviceOn = (
  name: string,
  file: ProcFile,
  { path = 'mmap_lock' as LockPath | undefined, more = {} } = {},
) =>
  adviceFor(
    incidentOf([stall(epoch, 100 * ms, { readers: [stallReader(name, file, 100 * ms, more)] })], {
      lockPath: () => path,
    }),
  );

test('readers we know are known by the 15 bytes that the kernel keeps of their name', () => {
  for (const [name, file, setting] of [
    ['process-exporte', 'smaps', /-gather-smaps=false/],
    ['process-exporte', 'smaps_rollup', /-gather-smaps=false/],
    ['prometheus-proc', 'smaps', /-gather-smaps=false/],
    ['cadvisor', 'clear_refs', /referenced_memory/],
    ['cadvisor', 'smaps', /referenced_memory/],
    ['atop', 'smaps', /without -R/],
    ['telegraf', 'smaps', /properties = /],
    ['system-probe', 'smaps', /activity_dump\.enabled/],
    ['apps.plugin', 'smaps_rollup', /--pss 0/],
    ['htop', 'maps', /removed programs/],
    ['htop', 'smaps_rollup', /PSS/],
    ['btop', 'smaps', /proc_info_smaps/],
  ] as const) {
    const advice = adviceOn(name, file);
    assert.equal(advice.length, 1, `${name} ${file}`);
    assert.match(advice[0]!, setting);
  }
});

test('a name that is not theirs, or another file, gets no setting of theirs', () => {
  for (const [name, file] of [
    ['process-export', 'smaps'],
    ['process-exporter2', 'smaps'],
    ['process-exporte', 'maps'],
    ['ATOP', 'smaps'],
  ] as const)
    assert.doesNotMatch(adviceOn(name, file).join(), /gather-smaps|without -R/, `${name} ${file}`);
});

test('of other readers the kernel that ends it, where there is one', () => {
  for (const [file, kernel] of [
    ['maps', '6.17'],
    ['procmap_query', '6.18'],
    ['smaps', '7.2'],
    ['numa_maps', '7.2'],
  ] as const)
    for (const path of ['mmap_lock', undefined] as const)
      assert.match(adviceOn('agent', file, { path }).join(), new RegExp(`since Linux ${kernel} `), file);
  for (const file of ['smaps_rollup', 'pagemap', 'clear_refs', 'map_files'] as const)
    assert.match(adviceOn('agent', file).join(), /^No kernel up to 7\.3 serves /, file);
});

test('no kernel is advised where the file is served without mmap_lock already', () => {
  assert.deepEqual(adviceOn('agent', 'maps', { path: 'per_vma_lock' }), []);
  assert.deepEqual(adviceOn('agent', 'maps', { path: 'rcu_snapshot' }), []);
  assert.match(
    adviceOn('atop', 'smaps', { path: 'per_vma_lock' }).join(),
    /without -R/,
    'its setting still helps',
  );
});

test('a reader that lacked a CPU while others waited for it should get one', () => {
  const advice = adviceOn('atop', 'smaps', { more: { nice: 19, offCpuNanoseconds: 80 * ms } });
  assert.equal(advice.length, 2);
  assert.match(advice[1]!, /`atop` had no CPU for 80 ms .*nice value is 19.*priority/);
  assert.equal(adviceOn('atop', 'smaps', { more: { nice: 19, offCpuNanoseconds: 5 * ms } }).length, 1);
});

test('without a reader there is no advice, and of many readers only that for the worst, said once', () => {
  assert.deepEqual(adviceFor(incidentOf([stall(epoch, 100 * ms)])), []);
  const readers = ['a', 'b', 'c', 'd'].map((name) => stallReader(name, 'smaps', 20 * ms));
  assert.equal(adviceFor(incidentOf([stall(epoch, 100 * ms, { readers })])).length, 1);
});

test('the data: every line has its source and its programs, and every file its kernel or none', () => {
  for (const { programs, files, text, source } of knownReaders) {
    assert.ok(programs.length > 0 && files.length > 0 && text.endsWith('.'), text);
    assert.match(source, /^[\w.-]+\/[\w.-]+, /, text);
  }
  assert.deepEqual(Object.keys(freeingKernel).length, 9);
});
