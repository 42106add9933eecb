import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/host.js';
import { readCatalog } from '../../src/probes/catalog.js';
import { mapKeysWithin } from '../../src/probes/map-budget.js';
import { joinProgram } from '../../src/probes/program.js';

const mib = 2 ** 20;
const limits = { keys: 16_384, bytes: 64 * mib };
/** Bytes of all maps of the program: an entry of a per-CPU hash takes 88 + 8 x CPUs. */
const bytes = (maps: number, keys: number, cpus: number): number => maps * keys * (88 + 8 * cpus);

const { fragments } = await readCatalog(path.join(packageRoot, 'bpf'));
const shipped = joinProgram(fragments.map((fragment) => ({ fragment, constants: new Map() }))).text;
const shippedMaps = new Set(shipped.replace(/\/\/.*/g, '').match(/@\w+/g)).size;

test('a small host has as many keys as were asked for', () => {
  assert.equal(mapKeysWithin('@a = 1; @b = @a;', limits, 2), limits.keys);
  assert.equal(mapKeysWithin('', limits, 2), limits.keys);
});

test('a large host stays within the budget, and close to it', () => {
  for (const cpus of [64, 256, 1024]) {
    const keys = mapKeysWithin(shipped, limits, cpus);
    const used = bytes(shippedMaps, keys, cpus);
    assert.ok(used <= limits.bytes, `${cpus} CPUs: ${keys} keys take ${used / mib} MiB`);
    assert.ok(used > limits.bytes * 0.9, `${cpus} CPUs: ${keys} keys leave most of the budget unused`);
  }
});

test('a map is counted once, however often it is written', () => {
  const cpus = 4096;
  assert.equal(mapKeysWithin('@a = 1; @a = 2; @a = 3;', limits, cpus), mapKeysWithin('@a', limits, cpus));
  assert.ok(mapKeysWithin('@a @b', limits, cpus) < mapKeysWithin('@a', limits, cpus));
});

test('no budget is so small that nothing can be counted', () => {
  assert.equal(mapKeysWithin('@a', { keys: 16_384, bytes: 1 }, 256), 64);
});
