import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { BtfTypes, kinds } from '../../src/kernel/btf-types.js';
import { cTypesBtf } from '../../src/kernel/c-types.js';
import { cTypesFile } from '../../src/survey/survey.js';

test('the file in bpf/ is the one that the sources give', () => {
  assert.ok(readFileSync(cTypesFile).equals(cTypesBtf()), 'to mend it: npm run package -- --generate');
});

/** Bytes, and encoding, of each typedef of plain C types. */
const sizesOf = (types: BtfTypes): Map<string, string> => {
  const sizes = new Map<string, string>();
  for (let id = 1; id <= types.lastId; id += 1) {
    if (types.kind(id) !== kinds.typedef) continue;
    const of = types.unqualified(id);
    if (types.kind(of) === kinds.int)
      sizes.set(types.name(id), `${types.sizeOrType(of)} bytes, encoded ${types.extra(of, 0) >>> 24}`);
  }
  return sizes;
};

const kernel = '/sys/kernel/btf/vmlinux';

test('each name of the kernel has the size it has in the kernel', {
  skip: !existsSync(kernel) && `there is no ${kernel}`,
}, () => {
  const there = sizesOf(new BtfTypes(readFileSync(kernel)));
  const here = sizesOf(new BtfTypes(cTypesBtf()));
  const compared = [...here].filter(([name]) => there.has(name));
  for (const [name, size] of compared) assert.equal(size, there.get(name), name);
  assert.ok(compared.length > 10, 'u64, pid_t, bool and their like');
});

test('what bpftrace calls its integers is among them', () => {
  const here = sizesOf(new BtfTypes(cTypesBtf()));
  assert.equal(here.get('uint64'), '8 bytes, encoded 0');
  assert.equal(here.get('int64'), '8 bytes, encoded 1');
  assert.equal(here.get('uint8'), '1 bytes, encoded 0');
});
