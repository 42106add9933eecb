import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MmaplockError } from '../../../src/errors.js';
import { readToken } from '../../../src/http/access/token-file.js';
import { temporaryFolder } from '../../bpftrace/fake.js';

const fileOf = (context: TestContext, content: string): string => {
  const file = join(temporaryFolder(context), 'token');
  writeFileSync(file, content);
  return file;
};

const token = '0123456789abcdef';

for (const content of [token, `${token}\n`, `\r\n \t${token}\r\n\n`, `\uFEFF${token}\n`])
  test(`${JSON.stringify(content)}: white space around a token is none of it`, async (context) => {
    assert.equal(readToken(fileOf(context, content)), token);
  });

test('a token may hold all that a header can carry, up to 4096 characters', async (context) => {
  for (const text of ['!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~', 'x'.repeat(4096)])
    assert.equal(readToken(fileOf(context, text)), text);
});

/** That there is no token, without the path: who asks need not know it. */
const assertUnreadable = (path: string, why: RegExp): void => {
  assert.throws(
    () => readToken(path),
    (error) => {
      assert.ok(error instanceof MmaplockError);
      assert.equal(error.code, 'token_unreadable');
      assert.equal(error.field, 'inspect.token_file');
      assert.match(error.message, why);
      assert.ok(!error.message.includes(path), error.message);
      return true;
    },
  );
};

for (const [what, content] of [
  ['nothing', ''],
  ['15 characters', token.slice(1)],
  ['15 characters and much white space', `  ${token.slice(1)}${' \n'.repeat(40)}`],
  ['two words', `${token} ${token}`],
  ['two lines', `${token}\n${token}\n`],
  ['letters that are not ASCII', `${token}ä`],
  ['a control character', `${token}\0`],
  ['4097 characters', 'x'.repeat(4097)],
] as const)
  test(`${what}: no token`, async (context) => {
    assertUnreadable(fileOf(context, content), /holds no token of 16 to 4096 visible ASCII/);
  });

test('what cannot be read says so by its errno', async (context) => {
  const folder = temporaryFolder(context);
  assertUnreadable(join(folder, 'nothing'), /cannot be read: ENOENT/);
  assertUnreadable(folder, /cannot be read: it is a directory/);
});

test('what has no end, or nobody who writes to it, holds nothing up', async (context) => {
  assertUnreadable('/dev/zero', /cannot be read: it is a device/);
  const pipe = join(temporaryFolder(context), 'pipe');
  assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
  assertUnreadable(pipe, /cannot be read: it is a pipe/);
});
