import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHostCheck } from '../../../src/http/access/host-header.js';

const anywhere = [
  'localhost',
  'LOCALHOST:1',
  '127.0.0.1:10465',
  '127.9.9.9',
  '[::1]:10465',
  'db1.internal:80',
];
const addresses = ['10.1.2.3', '10.1.2.3:10465', '[fd00::7]', '[FD00::7]:443', '192.0.2.1:65535'];
const nowhere = [
  undefined,
  '',
  'evil.example',
  'evil.example:10465',
  '10.0.0.1.evil.example',
  '10.1.2',
  '010.1.2.3',
  '10.1.2.3:',
  '10.1.2.3:80:80',
  '10.1.2.3.',
  'fd00::7',
  'fd00::7:80',
  '[fd00::7',
  '[10.1.2.3]x',
  'db1.internal.evil.example',
];

for (const host of ['127.0.0.1', '::1', 'localhost', '127.1.1.1'])
  test(`on ${host}: names of this host, no other address`, () => {
    const isForUs = createHostCheck(host, ['DB1.internal']);
    for (const header of anywhere) assert.ok(isForUs(header), header);
    for (const header of [...addresses, ...nowhere]) assert.ok(!isForUs(header), header);
  });

for (const host of ['0.0.0.0', '::', '10.1.2.3', 'db1.internal'])
  test(`on ${host}: any address besides, for it cannot be rebound, and no name that is not allowed`, () => {
    const isForUs = createHostCheck(host, ['db1.internal']);
    for (const header of [...anywhere, ...addresses]) assert.ok(isForUs(header), header);
    for (const header of nowhere) assert.ok(!isForUs(header), header);
  });
