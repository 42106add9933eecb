import assert from 'node:assert/strict';
import path from 'node:path';
import { before, test } from 'node:test';
import { packageRoot } from '../../src/package-root.js';
import { readCatalog } from '../../src/probes/catalog.js';
import type { Fragment } from '../../src/probes/fragment/fragment.js';
import { mapBytesOn, mapKeysWithin, mapNames } from '../../src/probes/map-budget.js';
import { joinProgram } from '../../src/probes/program.js';

const mib = 2 ** 20;
const boundless = { keys: Number.POSITIVE_INFINITY, bytes: 2 ** 50 };

/** Bytes of an entry, as the number of keys shows them. */
const entry = (program: string, cpus: number): number =>
  Math.round(boundless.bytes / mapKeysWithin(program, boundless, cpus));

/**
 * bytes_memlock / max_entries of 4,096 entries, as bpftool tells it on 6.18 with 2 CPUs: the larger of what bpftrace
 * 0.17, 0.23 and 0.27 make of it, without the fraction that is the map's own.
 */
const measured: readonly (readonly [string, number])[] = [
  ['@p[tid] = (uint64)1;', 80],
  ['@p[tid, pid] = nsecs;', 88],
  ['@t[tid] = ((uint64)1, (uint64)2, (uint64)3);', 96],
  ['@k[1] = count();', 96],
  ['@k[1, 2, 3, 4, 5, 6, 7] = count();', 144],
  ['@s[1] = sum($ns);', 96],
  ['@h[1] = hist(3);', 104],
  ['@m[1] = max(3);', 112],
];

test('an entry is charged what it takes, and at most one bucket more', () => {
  for (const [program, bytes] of measured) {
    const charged = entry(program, 2);
    assert.ok(charged >= bytes && charged <= bytes + 16, `${program} ${charged}, measured ${bytes}`);
  }
});

test('only what is aggregated grows with the CPUs', () => {
  const growth = (program: string) => entry(program, 1002) - entry(program, 2);
  for (const program of ['@a[1] = 1;', '@a[1] = ($x, $y);', '@a[1] = @b[1];', 'print(@a);', '@a[count] = 1;'])
    assert.equal(growth(program), 0, program);
  for (const program of ['@a[1] = count();', '@a[1]\n    = sum ( 2 );', '@a[@b[1], 2] = lhist(1, 0, 9, 1);'])
    assert.equal(growth(program), 8000, program);
  for (const program of ['@a[1] = min(1);', '@a[1] = avg(1);', '@a[1] = stats(1);'])
    assert.equal(growth(program), 16_000, program);
});

test('a value counts its members, and brackets within are no members', () => {
  const more = (program: string) => entry(program, 2) - entry('@a[1] = 1;', 2);
  assert.equal(more('@a[1] = ((uint64)$x, $y);'), 8);
  assert.equal(more('@a[1] = (uint64)$x;'), 0);
  assert.equal(more('@a[1] = ($x) + ($y, 1);'), 0);
  assert.equal(more('@a[1] = (@b[1, 2], 1);') - more('@b[1, 2] = 1;'), entry('@a[1] = (1, 1);', 2));
  assert.equal(more('@a[(1, 2), @a[1, 2]] = 1;'), 8);
});

test('a comparison and a comment write nothing', () => {
  assert.equal(entry('if (@a[1] == count()) { }', 100), entry('@a[1] = 1;', 100));
  assert.equal(entry('@a[1] = 1; // @b[1] = count();', 100), entry('@a[1] = 1;', 100));
  assert.deepEqual(mapNames('@a[1] = @b; // @c\nprint(@a);'), ['a', 'b']);
});

test('a map is counted once, by its widest use, however often it is written', () => {
  assert.equal(entry('@a[1] = 1; @a[1] = 2; @a[1] = (1, 2);', 2), entry('@a[1] = (1, 2);', 2));
  assert.ok(entry('@a[1] = 1; @b[1] = 1;', 2) > entry('@a[1] = 1;', 2));
});

let fragments: readonly Fragment[];
let shipped: string;
before(async () => {
  ({ fragments } = await readCatalog(path.join(packageRoot, 'bpf')));
  shipped = joinProgram(fragments.map((fragment) => ({ fragment, constants: new Map() }))).text;
});

test('the shipped fragments have all the keys asked for on a small host, and some hundred on a large one', () => {
  const keys = (cpus: number) => mapKeysWithin(shipped, { keys: 4096, bytes: 64 * mib }, cpus);
  assert.equal(keys(8), 4096);
  assert.ok(keys(256) >= 512, `${keys(256)} keys`);
  assert.equal(keys(1024), 512);
});

test('no program, and no budget so small that nothing can be counted', () => {
  assert.equal(mapKeysWithin('', { keys: 4096, bytes: mib }, 2), 4096);
  assert.equal(mapKeysWithin('@a', { keys: 16_384, bytes: 1 }, 256), 512);
});

const sources = ['tracepoint', 'kprobe', 'fentry'] as const;
const tierOf = (kind: (typeof sources)[number]) =>
  joinProgram(
    fragments
      .filter(({ mode }) => mode === 'watch')
      // Of each event the source of this kind, or the one there is.
      .filter(
        ({ tells, name }) =>
          tells === undefined ||
          name.endsWith(`-${kind}`) ||
          !fragments.some((other) => other.tells === tells && other.name.endsWith(`-${kind}`)),
      )
      .map((fragment) => ({ fragment, constants: new Map() })),
  ).text;

for (const kind of sources)
  test(`the whole program of a host with ${kind}s stays within 64 MiB, however many CPUs are possible`, () => {
    const program = tierOf(kind);
    assert.ok(mapNames(program).length > 30, 'the whole of it');
    for (const cpus of [2, 64, 128, 256]) {
      const keys = mapKeysWithin(program, { keys: 4096, bytes: 64 * mib }, cpus);
      const bytes = keys * (boundless.bytes / mapKeysWithin(program, boundless, cpus));
      assert.ok(bytes <= 64 * mib, `${cpus} CPUs: ${keys} keys are ${(bytes / mib).toFixed(1)} MiB`);
      assert.ok(keys >= 512, `${cpus} CPUs: ${keys} keys, fewer than a tick prints`);
    }
  });

for (const kind of sources)
  test(`with 1,024 possible CPUs no map of a host with ${kind}s overflows by design`, () => {
    const program = tierOf(kind);
    const slots = [...program.matchAll(/@waiting\[\$(?:next|slot)\]/g)].length;
    assert.ok(slots > 0, 'the waits that go on have their slots');
    for (const gib of [1, 16, 2048]) {
      const bytes = mapBytesOn({ map_memory_mib: 64 }, 1024, gib * 2 ** 30);
      const keys = mapKeysWithin(program, { keys: 4096, bytes }, 1024);
      assert.ok(keys >= 2 * 256, `${gib} GiB: ${keys} keys for 256 slots`);
      assert.ok(keys < 4096 || gib > 16, 'few on a small host');
      const taken = keys * (boundless.bytes / mapKeysWithin(program, boundless, 1024));
      const most = Math.max(bytes, 192 * mib);
      assert.ok(taken <= most, `${gib} GiB: ${(taken / mib).toFixed(0)} MiB`);
    }
  });

test('the memory for maps grows with the CPUs, where there is memory for it', () => {
  const on = (cpus: number, gib: number) => mapBytesOn({ map_memory_mib: 64 }, cpus, gib * 2 ** 30) / mib;
  assert.deepEqual([on(2, 2), on(128, 4), on(256, 512), on(1024, 2048)], [64, 64, 128, 512]);
  // A cgroup of 768 MiB has no room for more.
  assert.equal(on(1024, 0.75), 64);
  assert.equal(on(1024, 4), 256);
});
