import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArguments } from '../../src/cli/arguments.js';
import { loadConfig } from '../../src/config/load.js';
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

test('an end in order has time for both tracers to end in order', () => {
  assert.equal(setting('KillMode'), 'mixed');
  assert.ok(seconds('TimeoutStopSec') >= 2 * 5 + 5);
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
