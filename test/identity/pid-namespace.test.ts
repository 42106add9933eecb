import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { inInitialPidNamespace } from '../../src/identity/pid-namespace.js';

const root = mkdtempSync(join(tmpdir(), 'mmaplock-namespace-'));
after(() => rmSync(root, { recursive: true }));

const procWith = (name: string, target: string): string => {
  mkdirSync(join(root, name, 'self/ns'), { recursive: true });
  symlinkSync(target, join(root, name, 'self/ns/pid'));
  return join(root, name);
};

test('the initial namespace has the number the kernel gives it at build time', () => {
  assert.equal(inInitialPidNamespace(procWith('initial', 'pid:[4026531836]')), true);
});

test('another namespace, and a /proc that does not tell, are not it', () => {
  assert.equal(inInitialPidNamespace(procWith('container', 'pid:[4026532201]')), false);
  assert.equal(inInitialPidNamespace(join(root, 'absent')), false);
});
