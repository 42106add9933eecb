import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NameIndex } from '../../src/kernel/btf-names.js';
import { BtfTypes } from '../../src/kernel/btf-types.js';
import { BtfBuilder } from './btf-builder.js';

const struct = 4;
const index = (builder: BtfBuilder): NameIndex =>
  new NameIndex(new BtfTypes(builder.build()), (kind) => kind === struct);

test('all types of a name are found in their order, wherever their names lie', () => {
  const builder = new BtfBuilder();
  builder.struct('file', 8, []);
  builder.struct('profile', 8, []);
  builder.struct('file', 16, []);
  builder.struct('files', 8, []);
  const found = index(builder);
  assert.deepEqual(found.find('file'), [1, 3]);
  assert.deepEqual(found.find('file'), [1, 3], 'asked again');
  assert.deepEqual(found.find('profile'), [2]);
});

test('a name may be the end of another: BTF shares strings as it likes', () => {
  const builder = new BtfBuilder();
  builder.struct('profile', 8, []);
  builder.struct('file', 8, []);
  const blob = builder.build();
  const [shared, own] = [blob.indexOf('file\0'), blob.lastIndexOf('file\0')];
  assert.ok(shared < own);
  // Of a header of 24 bytes and records of three words, the first word of the second.
  const name = new Uint32Array(blob.buffer, blob.byteOffset + 24 + 12, 1);
  const strings = blob.indexOf('\0profile\0');
  assert.equal(name[0], own - strings);
  name[0] = shared - strings;
  assert.deepEqual(new NameIndex(new BtfTypes(blob), (kind) => kind === struct).find('file'), [2]);
});

test('what is of another kind, has no name or is not there is not found', () => {
  const builder = new BtfBuilder();
  builder.int('int', 4);
  builder.struct('', 8, []);
  const found = index(builder);
  for (const name of ['int', '', 'in', 'nt', 'absent']) assert.deepEqual(found.find(name), [], name);
});
