import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isProcessName, isVictimName } from '../../src/config/victim-name.js';

test('names as labels show them are taken: plain, of 15 bytes, with what is escaped there', () => {
  const names = [
    'mysqld',
    'Web Content',
    'a,b="c"',
    'fifteen bytes!!',
    '\\x7eother',
    'a\\x0ab',
    '日本',
    'x\\y',
  ];
  for (const name of names) {
    assert.equal(isProcessName(name), true, name);
    assert.equal(isVictimName(name), true, name);
  }
});

test('what no label ever shows is not taken', () => {
  const names = [
    '',
    'prometheus-node-exporter',
    '日本語日本語',
    '~other',
    '\\x41bc',
    'a\nb',
    '\u202egnp',
    '\ud800',
  ];
  for (const name of names) {
    assert.equal(isProcessName(name), false, JSON.stringify(name));
    assert.equal(isVictimName(name), false, JSON.stringify(name));
  }
});

test('a unit is a name where labels hold units', () => {
  for (const unit of ['postgresql@16-main.service', 'machine-of-workers.slice']) {
    assert.equal(isVictimName(unit), true, unit);
    assert.equal(isProcessName(unit), false, unit);
  }
  assert.equal(isVictimName(`${'x'.repeat(248)}.service`), false, 'longer than a cgroup can be named');
});
