import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { StatsSwitch } from '../../src/cost/stats-switch.js';

const root = mkdtempSync(join(tmpdir(), 'mmaplock-stats-'));
after(() => rmSync(root, { recursive: true }));
let count = 0;

const bootId = '6f1d1c0e-3a55-4b7e-9b53-0f2a9a1b2c3d';
const mark = 'bpf-stats-on.6f1d1c0e3a554b7e9b530f2a9a1b2c3d';

/** A switch of the kernel that is a file, and a directory for the mark. */
const host = (value: string) => {
  const folder = join(root, String(count++));
  const directory = join(folder, 'state');
  mkdirSync(directory, { recursive: true });
  const [file, bootIdFile] = [join(folder, 'bpf_stats_enabled'), join(folder, 'boot_id')];
  writeFileSync(file, `${value}\n`);
  writeFileSync(bootIdFile, `${bootId}\n`);
  const open = (where = directory) => new StatsSwitch({ directory: where, file, bootIdFile });
  return {
    open,
    file,
    directory,
    value: () => readFileSync(file, 'latin1').trim(),
    left: () => readdirSync(directory),
  };
};

test('it is on for as long as it is wanted, with a mark that says so', () => {
  const { open, value, left, directory } = host('0');
  const stats = open();
  stats.on();
  assert.equal(value(), '1');
  assert.deepEqual(left(), [mark]);
  assert.equal(readFileSync(join(directory, mark), 'latin1'), '', 'the name says it all');
  stats.off();
  assert.equal(value(), '0');
  assert.deepEqual(left(), []);
});

test('where it is on already it is left alone, and no mark is left', () => {
  const { open, value, left } = host('1');
  const stats = open();
  stats.on();
  assert.deepEqual(left(), []);
  stats.off();
  assert.equal(value(), '1');
});

test('what a daemon left on that was killed, the next one switches off', () => {
  const { open, value, left } = host('0');
  open().on();
  assert.equal(open().restore(), true);
  assert.equal(value(), '0');
  assert.deepEqual(left(), []);
  assert.equal(open().restore(), false, 'once');
});

test('a mark of another boot tells nothing of this one, and goes', () => {
  const { open, value, left, directory } = host('1');
  writeFileSync(join(directory, 'bpf-stats-on.00000000000000000000000000000000'), '0\n');
  assert.equal(open().restore(), false);
  assert.equal(value(), '1');
  assert.deepEqual(left(), []);
});

test('without a directory it works, and leaves nothing', () => {
  const { open, value, left } = host('0');
  const stats = open('');
  assert.equal(stats.restore(), false);
  stats.on();
  assert.equal(value(), '1');
  assert.deepEqual(left(), []);
  stats.off();
  assert.equal(value(), '0');
});

test('a directory that is not there is not made, and hinders nothing', () => {
  const { open, value, directory } = host('0');
  rmSync(directory, { recursive: true });
  const stats = open();
  assert.equal(stats.restore(), false);
  stats.on();
  stats.off();
  assert.equal(value(), '0');
});

test('a kernel without it, or a file that cannot be written, is a coded error, and no mark stays', () => {
  const { open, file, left } = host('0');
  rmSync(file);
  assert.throws(() => open().on(), { code: 'probe_cost_unmeasured' });
  assert.deepEqual(left(), []);
  mkdirSync(file);
  assert.throws(() => open().on(), { code: 'probe_cost_unmeasured', message: /bpf_stats_enabled/ });
  assert.deepEqual(left(), []);
});
