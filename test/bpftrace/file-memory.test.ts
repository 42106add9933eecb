import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { Dialect } from '../../src/bpftrace/decode/dialect.js';
import { createFileMemory } from '../../src/bpftrace/file-memory.js';

const directory = mkdtempSync(path.join(tmpdir(), 'mmaplockd-memory-'));
after(() => rmSync(directory, { recursive: true }));
const bpftrace = path.join(directory, 'bpftrace');

test('a dialect is learnt once, and again after an upgrade or a failure', async () => {
  const learnt: string[] = [];
  let fails = false;
  const dialectOf = createFileMemory(async (found: { readonly path: string }) => {
    learnt.push(found.path);
    if (fails) throw new Error('refused');
    return { version: String(learnt.length) } as unknown as Dialect;
  });
  writeFileSync(bpftrace, 'one');
  const first = await dialectOf({ path: bpftrace });
  assert.equal(await dialectOf({ path: bpftrace }), first);
  assert.deepEqual(learnt, [bpftrace]);

  writeFileSync(`${bpftrace}.new`, 'two');
  renameSync(`${bpftrace}.new`, bpftrace);
  fails = true;
  await assert.rejects(dialectOf({ path: bpftrace }), /refused/);
  fails = false;
  assert.notEqual(await dialectOf({ path: bpftrace }), first);
  assert.equal(learnt.length, 3);
});
