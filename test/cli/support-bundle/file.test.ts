import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { bundleName, openBundleFile } from '../../../src/cli/support-bundle/file.js';
import { MmaplockError } from '../../../src/errors.js';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mmaplockd-test-'));
});
afterEach(() => rm(directory, { recursive: true }));

const refused = (code: string) => (error: unknown) => {
  assert.ok(error instanceof MmaplockError, String(error));
  assert.deepEqual([error.code, error.field], [code, '--file']);
  return true;
};

test('it is for its owner alone, also while nothing stands in it yet', async () => {
  const name = path.join(directory, 'bundle.json');
  const file = await openBundleFile(name);
  assert.equal((await stat(name)).mode & 0o777, 0o600);
  await file.write('{}\n');
  assert.equal((await stat(name)).mode & 0o777, 0o600);
  assert.equal(await readFile(name, 'utf8'), '{}\n');
  assert.equal(file.name, name);
});

test('what is there already is not touched', async () => {
  const name = path.join(directory, 'bundle.json');
  await writeFile(name, 'mine');
  await chmod(name, 0o644);
  await assert.rejects(openBundleFile(name), refused('file_exists'));
  assert.equal(await readFile(name, 'utf8'), 'mine');
});

test('where it cannot be written, that is told', async () => {
  await assert.rejects(
    openBundleFile(path.join(directory, 'none', 'bundle.json')),
    refused('file_unwritable'),
  );
});

test('where nothing comes of it no file is left', async () => {
  const file = await openBundleFile(path.join(directory, 'bundle.json'));
  await file.discard();
  assert.deepEqual(await readdir(directory), []);
});

test('the name that is made up tells host and time, and is a name wherever it is copied to', () => {
  const at = Date.UTC(2025, 5, 1, 12, 30, 5, 250);
  assert.equal(bundleName('db-1.example', at), 'mmaplockd-support-db-1.example-20250601T123005Z.json');
  assert.equal(bundleName('../a b\n', at), 'mmaplockd-support-.._a_b_-20250601T123005Z.json');
});
