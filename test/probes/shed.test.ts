/** What the cost budget leaves of the shipped fragments, on a kernel that has all they ask for. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { before, test } from 'node:test';
import { packageRoot } from '../../src/package-root.js';
import { readCatalog } from '../../src/probes/catalog.js';
import type { Fragment } from '../../src/probes/fragment/fragment.js';
import { probesOfStep, shedReason, shedStepsFor } from '../../src/probes/shed.js';
import { everything } from './fake.js';

let watch: readonly Fragment[];
before(async () => {
  const { fragments } = await readCatalog(path.join(packageRoot, 'bpf'));
  watch = fragments.filter(({ mode }) => mode === 'watch');
});
const left = (shed: Parameters<typeof shedReason>[2], options = everything): string[] =>
  watch.filter((fragment) => shedReason(fragment, options, shed) === undefined).map(({ name }) => name);

test('each step leaves out what it names, and the next more', () => {
  const retries = left(['retries']);
  assert.ok(!retries.includes('retries') && !retries.includes('acquisitions-tracepoint'));
  assert.ok(retries.includes('proc-reads'));
  const reads = left(['retries', 'reads']);
  assert.ok(!reads.some((name) => name.startsWith('reads-') || name === 'proc-reads'));
  assert.ok(reads.includes('proc-opens'));
  const opens = left(['retries', 'reads', 'opens']);
  assert.ok(!opens.some((name) => /opens/.test(name)));
  assert.ok(opens.includes('waits'));
  assert.deepEqual(left(['retries', 'reads', 'opens', 'waits']), []);
});

test('nothing given up leaves all, and inspect mode has no part in the watch program', () => {
  assert.deepEqual(
    left([]),
    watch.map(({ name }) => name),
  );
  assert.deepEqual(
    left(['inspect']),
    watch.map(({ name }) => name),
  );
});

test('what the operator has switched off is not turned up', () => {
  assert.ok(!left(['reads'], { ...everything, reads: 'off' }).includes('proc-opens'));
});

test('a step that makes no difference on a host is none', () => {
  assert.deepEqual(shedStepsFor(watch, everything), ['retries', 'reads', 'opens', 'waits']);
  const named = (...names: string[]) => watch.filter(({ name }) => names.includes(name));
  assert.deepEqual(shedStepsFor(named('waits', 'contention-tracepoint'), everything), ['waits']);
  assert.deepEqual(shedStepsFor(named('waits', 'opens-tracepoint', 'proc-opens'), everything), [
    'opens',
    'waits',
  ]);
  assert.deepEqual(shedStepsFor([], everything), []);
});

test('a step takes probes away, and what it added to those that stay', () => {
  const named = (...names: string[]) => watch.filter(({ name }) => names.includes(name));
  const running = named(
    'contention-fentry',
    'waits',
    'acquisitions-fentry',
    'retries',
    'reads-fentry',
    'proc-reads',
    'blocks',
  );
  const { gone } = probesOfStep(running, everything, [], 'retries');
  assert.ok(gone.has('fentry:down_read_killable') && !gone.has('fentry:seq_read'), [...gone].join());
  const reads = probesOfStep(running, everything, ['retries'], 'reads');
  assert.ok(reads.gone.has('fentry:seq_read'), [...reads.gone].join());
  assert.ok(reads.lightened.has('fentry:rwsem_down_write_slowpath'), [...reads.lightened].join());
});
