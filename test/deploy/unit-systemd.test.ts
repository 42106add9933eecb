/** What systemd itself says of the unit, where its tools are. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../bpftrace/fake.js';
import { unitPath, unitText } from './unit-file.js';

/** What `systemd-analyze security` of systemd 252 finds exposed in this unit, of 10; README tells it. */
const mostExposure = 3.6;

const analyze = (...args: readonly string[]) => spawnSync('systemd-analyze', args, { encoding: 'utf8' });
const version = Number(/^systemd (\d+)/.exec(analyze('--version').stdout ?? '')?.[1] ?? 0);
const skip =
  version >= 252 ? false : 'needs systemd-analyze of systemd 252 or later (apt-get install systemd)';

test('systemd finds no fault with the unit', { skip }, (context) => {
  // The program is not installed where tests run, and its manual page neither.
  const file = join(temporaryFolder(context), 'mmaplockd.service');
  writeFileSync(file, unitText.replaceAll('/usr/bin/mmaplockd', process.execPath));
  const { status, stdout, stderr } = analyze('verify', '--man=no', file);
  assert.equal(stdout + stderr, '');
  assert.equal(status, 0);

  writeFileSync(file, unitText.replace('/usr/bin/mmaplockd', process.execPath).replace('Type=', 'Typo='));
  assert.match(analyze('verify', '--man=no', file).stderr, /Typo/, 'a fault would be found');
});

test('the exposure that systemd finds is the one that is documented, or less', { skip }, () => {
  const { stdout } = analyze('security', '--offline=true', '--no-pager', unitPath);
  const [, exposure] = /exposure level for mmaplockd\.service: ([\d.]+)/.exec(stdout) ?? [];
  assert.ok(Number(exposure) <= mostExposure, stdout);
});
