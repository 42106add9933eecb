import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { lastMapsLimits } from '../../src/bpftrace/process/last-maps.js';
import { parseArguments } from '../../src/cli/arguments.js';
import { loadConfig } from '../../src/config/load.js';
import { StatsSwitch } from '../../src/cost/stats-switch.js';
import { seconds, setting, settings, unitText } from './unit-file.js';

const program = '/usr/bin/mmaplockd ';
const config = '/etc/mmaplockd/config.yaml';

/** What the daemon makes of a command of the unit, where $ARGS is empty. */
const understood = (command: string) => {
  assert.ok(command.startsWith(program), command);
  assert.match(command, / \$ARGS$/);
  return parseArguments(command.slice(program.length).replace(' $ARGS', '').split(' '));
};

test('the daemon understands the commands of the unit, and takes its settings from /etc', () => {
  const started = understood(setting('ExecStart'));
  assert.deepEqual(started, { ...started, command: 'run', configFile: config, configCheck: false });
  const [check = '', reload] = settings('ExecReload');
  for (const command of [setting('ExecStartPre'), check]) {
    const checked = understood(command);
    assert.deepEqual(checked, { ...checked, command: 'run', configFile: config, configCheck: true });
  }
  assert.equal(reload, '/bin/kill -HUP $MAINPID');
  assert.equal(settings('ExecReload').length, 2);
});

test('a wrong configuration is tried for some minutes, and who runs for half a minute is always started again', () => {
  assert.equal(setting('Restart'), 'always');
  const tries = Number(setting('StartLimitBurst')) * seconds('RestartSec');
  assert.ok(tries >= 60 && tries < seconds('StartLimitIntervalSec'), `${tries} s`);
  assert.ok(Number(setting('StartLimitBurst')) * 30 >= seconds('StartLimitIntervalSec'));
  assert.ok(seconds('WatchdogSec') * Number(setting('StartLimitBurst')) > seconds('StartLimitIntervalSec'));
});

/** A command of the unit, as systemd divides it: by spaces outside quotes, and a `;` of its own is escaped. */
const words = (command: string): string[] =>
  (command.replace(/^-/, '').match(/'[^']*'|\S+/g) ?? []).map((word) =>
    word === '\\;' ? ';' : word.replaceAll("'", ''),
  );

test('what a daemon leaves on that was killed is switched off by the unit, as the daemon itself would', (context) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mmaplockd-unit-'));
  context.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(path.join(folder, 'mmaplockd'));
  const [file, bootIdFile] = [path.join(folder, 'enabled'), path.join(folder, 'boot_id')];
  writeFileSync(file, '0\n');
  writeFileSync(bootIdFile, '6f1d1c0e-3a55-4b7e-9b53-0f2a9a1b2c3d\n');
  const [program = '', ...args] = words(
    setting('ExecStopPost')
      .replaceAll('%S', folder)
      .replaceAll('%b', '6f1d1c0e3a554b7e9b530f2a9a1b2c3d')
      .replaceAll('/proc/sys/kernel/bpf_stats_enabled', file),
  );
  const stopPost = () => spawnSync(program, args, { encoding: 'utf8' });
  const quiet = stopPost();
  assert.deepEqual([quiet.status, quiet.stdout + quiet.stderr], [0, ''], 'nothing to do, and nothing said');
  new StatsSwitch({ directory: path.join(folder, 'mmaplockd'), file, bootIdFile }).on();
  assert.equal(readFileSync(file, 'latin1'), '1\n');
  const marks = readdirSync(path.join(folder, 'mmaplockd')).map((name) =>
    statSync(path.join(folder, 'mmaplockd', name)),
  );
  assert.deepEqual(
    marks.map(({ size }) => size),
    [0],
    'a mark needs no room on a full disk',
  );
  const done = stopPost();
  assert.deepEqual([done.status, done.stdout + done.stderr], [0, '']);
  assert.equal(readFileSync(file, 'latin1'), '0\n');
});

test('of the kernel only the statistics can be set', () => {
  assert.equal(setting('ReadWritePaths'), '-/proc/sys/kernel/bpf_stats_enabled');
  assert.match(setting('ReadOnlyPaths'), /^\/sys \/proc\/sys /);
});

test('an end in order has time for the tracer to hand over its last maps', () => {
  assert.equal(setting('KillMode'), 'mixed');
  assert.ok(seconds('TimeoutStopSec') >= lastMapsLimits.most / 1000 + 10);
});

test('memory reaches for what the maps of two tracers may take, with their buffers on 256 CPUs', () => {
  const [, mebibytes] = /^(\d+)M$/.exec(setting('MemoryMax')) ?? [];
  const maps = 2 * loadConfig({ flags: {}, env: {}, file: undefined }).limits.map_memory_mib;
  const buffers = (2 * 256 * 256) / 1024;
  const processes = 130 + 50 + 60;
  assert.ok(Number(mebibytes) >= maps + buffers + processes + 110, mebibytes);
});

test('the tracer is not throttled: it would lose events just when they matter', () => {
  for (const name of ['CPUQuota', 'MemoryHigh', 'CPUSchedulingPolicy']) assert.deepEqual(settings(name), []);
});

test('the reason for each capability stands beside it', () => {
  const reasons = unitText
    .split('\n')
    .filter((line) => line.startsWith('#'))
    .join('\n');
  const capabilities = setting('CapabilityBoundingSet').split(' ');
  assert.equal(capabilities.length, 6);
  for (const capability of capabilities) assert.match(reasons, new RegExp(`^# .*\\b${capability}\\b`, 'm'));
});

test('nothing is set that hides from the daemon what it is there to see', () => {
  for (const name of [
    'ProtectKernelTunables',
    'ProtectKernelLogs',
    'ProtectProc',
    'ProcSubset',
    'PrivateUsers',
  ])
    assert.deepEqual(settings(name), [], name);
  assert.deepEqual(settings('MemoryDenyWriteExecute'), []);
  assert.deepEqual(settings('PrivateNetwork'), []);
  assert.doesNotMatch(setting('InaccessiblePaths'), /kallsyms/);
});
