/** Executables that stand in for bpftrace. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A folder that is gone after the test. */
export const temporaryFolder = (context: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'mmaplockd-'));
  context.after(() => rmSync(folder, { recursive: true }));
  return folder;
};

/** A shell script `bpftrace` in a folder of its own; `$1` is `--version` when the version is asked. */
export const fakeBpftrace = (context: TestContext, script: string): string => {
  const path = join(temporaryFolder(context), 'bpftrace');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
};

/** The same with a version, and a script for when it is to run a program. */
export const fakeTracer = (context: TestContext, version: string, script: string): string =>
  fakeBpftrace(context, `if [ "$1" = --version ]; then echo "bpftrace v${version}"; exit; fi\n${script}`);
