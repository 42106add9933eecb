/** A systemd-notify that writes down what it is to say; the true one is tried in the guest of test/package. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporaryFolder } from '../bpftrace/fake.js';

/** A folder to stand first on PATH, and the messages so far, each a list of assignments. */
export const fakeNotify = (context: TestContext, more = '') => {
  const folder = temporaryFolder(context);
  const file = join(folder, 'systemd-notify');
  const record = join(folder, 'said');
  const script = ['#!/bin/sh', more, '[ "$1" != -- ] || shift', `(IFS='|'; echo "$*") >> ${record}`, ''];
  writeFileSync(file, script.join('\n'));
  chmodSync(file, 0o755);
  const said = (): string[][] =>
    existsSync(record)
      ? readFileSync(record, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => line.split('|'))
      : [];
  return { folder, path: `${folder}:/usr/bin:/bin`, said };
};
