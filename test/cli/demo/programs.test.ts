/** The load of the demonstration: found, compiled by a stand-in of the compiler, and removed. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Programs, withPrograms } from '../../../src/cli/demo/programs.js';
import { temporaryFolder } from '../../bpftrace/fake.js';

const ending = new AbortController().signal;

/** A shell script for a compiler; its `$4` is what it is to make, its `$5` the source. */
const fakeCompiler = (context: TestContext, script: string, name = 'cc'): string => {
  const folder = temporaryFolder(context);
  writeFileSync(path.join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(path.join(folder, name), 0o755);
  return folder;
};

const makes = 'echo "$5 $PWD $TMPDIR $PATH" > "$4"; /bin/chmod 755 "$4"';
const pathsOf = async ({ writers, procReader }: Programs): Promise<string[]> => [writers, procReader];

test('the programs are in a folder for this user alone, which is gone afterwards', async (context) => {
  const env = { PATH: fakeCompiler(context, makes) };
  let folder = '';
  const said = await withPrograms({ env, ending }, async (programs) => {
    folder = path.dirname(programs.writers);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.deepEqual(
      (await pathsOf(programs)).map((file) => path.basename(file)),
      ['writers', 'proc-reader'],
    );
    return readFileSync(programs.writers, 'utf8').trim().split(' ');
  });
  const [source, ...rest] = said;
  assert.ok(existsSync(source!) && source!.endsWith('/writers.c'), source);
  assert.deepEqual(
    rest,
    [folder, folder, `${env.PATH}:/usr/bin:/bin`],
    'the compiler looks for nothing where the person is',
  );
  assert.ok(!existsSync(folder));

  const failing = withPrograms({ env, ending }, async ({ writers }) => {
    folder = path.dirname(writers);
    throw new Error('this one');
  });
  await assert.rejects(failing, /this one/);
  assert.ok(!existsSync(folder), 'nor is it left by what fails');
});

test('no compiler is run from the directory at hand, whatever PATH says', async (context) => {
  const here = fakeCompiler(context, 'echo "from here" >&2; exit 1');
  mkdirSync(path.join(here, 'bin'));
  writeFileSync(path.join(here, 'bin/cc'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  const before = process.cwd();
  process.chdir(here);
  try {
    await assert.rejects(withPrograms({ env: { PATH: ':.:bin::' }, ending }, pathsOf), {
      code: 'compiler_missing',
      message: 'the demonstration compiles its load, and there is no C compiler (cc or gcc) in PATH',
      fix: /apt-get install gcc/,
    });
    // It looks for its parts on PATH, too.
    const elsewhere = fakeCompiler(context, makes, 'gcc');
    const env = { PATH: `:.:bin:${elsewhere}:` };
    const said = await withPrograms({ env, ending }, async ({ writers }) => readFileSync(writers, 'utf8'));
    assert.ok(said.endsWith(` ${elsewhere}:/usr/bin:/bin\n`), said);
  } finally {
    process.chdir(before);
  }
});

test('a compiler that fails is said so with its own words, and what it lacks', async (context) => {
  const folder = fakeCompiler(context, 'echo "stdio.h: No such file or directory" >&2; exit 1');
  await assert.rejects(withPrograms({ env: { PATH: folder }, ending }, pathsOf), {
    code: 'compiler_missing',
    message: `${folder}/cc failed: stdio.h: No such file or directory`,
    fix: /libc6-dev/,
  });
});

test('where programs cannot be run, or no folder made, the fix is another TMPDIR', async (context) => {
  const told = { code: 'workload_missing', fix: /TMPDIR=/ };
  const folder = fakeCompiler(context, 'echo > "$4"; /bin/chmod 644 "$4"');
  const env = { PATH: folder };
  await assert.rejects(withPrograms({ env, ending }, pathsOf), told);

  const before = process.env.TMPDIR;
  process.env.TMPDIR = path.join(folder, 'nowhere');
  try {
    await assert.rejects(withPrograms({ env, ending }, pathsOf), told);
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
});

test('a compiler is ended with the command, and what it has started with it', async (context) => {
  const folder = fakeCompiler(context, `sleep 60 & echo > "\${0%/*}/started"; wait`);
  const command = new AbortController();
  const began = performance.now();
  const result = withPrograms({ env: { PATH: folder }, ending: command.signal }, async () => 'ended');
  while (!existsSync(path.join(folder, 'started'))) await delay(10);
  command.abort();
  assert.equal(await result, 'ended');
  assert.ok(performance.now() - began < 30_000);
});
