import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { errnoOf, errorCatalog, MmaplockError, messageOf } from '../src/errors.js';
import { packageRoot } from '../src/package-root.js';

const root = path.join(packageRoot, 'src');
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && file !== 'errors.ts')
  .map((file) => readFileSync(path.join(root, file), 'utf8'))
  .join('\n');

test('each code of the catalog is used', () => {
  const unused = Object.keys(errorCatalog).filter((code) => !sources.includes(`'${code}'`));
  assert.deepEqual(unused, []);
});

test('codes are stable words', () => {
  for (const code of Object.keys(errorCatalog)) assert.match(code, /^[a-z]+(_[a-z]+)*$/);
});

test('each mend ends with a full stop', () => {
  assert.deepEqual(
    Object.entries(errorCatalog).filter(([, mend]) => !mend.endsWith('.')),
    [],
  );
});

test('an error carries its code, what it is about and how to mend it', () => {
  const cause = new Error('below');
  const error = new MmaplockError('port_in_use', '127.0.0.1:1 is taken', { field: 'web', cause });
  assert.deepEqual([error.code, error.field, error.fix], ['port_in_use', 'web', errorCatalog.port_in_use]);
  assert.equal(error.message, '127.0.0.1:1 is taken');
  assert.equal(error.cause, cause);
  assert.ok(error instanceof Error);
  assert.match(String(error), /^MmaplockError: 127/);
});

test('a mend of its own goes before that of the catalog; without cause there is none', () => {
  const error = new MmaplockError('port_in_use', 'x', { fix: 'Wait.' });
  assert.equal(error.fix, 'Wait.');
  assert.equal(error.field, undefined);
  assert.ok(!Object.hasOwn(error, 'cause'));
});

test('anything thrown has a message, system errors have their errno', () => {
  assert.equal(messageOf(new Error('a')), 'a');
  assert.equal(messageOf('b'), 'b');
  assert.equal(messageOf(undefined), 'undefined');
  assert.equal(errnoOf(Object.assign(new Error('a'), { code: 'ENOENT' })), 'ENOENT');
  assert.equal(errnoOf(Object.assign(new Error('a'), { code: 5 })), undefined);
  assert.equal(errnoOf({ code: 'ENOENT' }), undefined);
});
