import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../src/config/load.js';
import { settings } from '../../src/config/settings.js';

test('the file is named by the flag that exporters share', () => {
  const setting = settings.get('web.config_file');
  assert.deepEqual([setting?.flag, setting?.variable], ['web.config.file', 'MMAPLOCKD_WEB_CONFIG_FILE']);
  assert.equal(settings.get('web.unix_socket')?.flag, 'web.unix-socket');
});

test('neither is there unless it is named', () => {
  const { config_file, unix_socket } = loadConfig({}).web;
  assert.deepEqual([config_file, unix_socket], ['', '']);
});

test('a path for a socket is as long as the kernel takes', () => {
  const given = (path: string) => loadConfig({ flags: { 'web.unix_socket': path } }).web.unix_socket;
  const longest = `/${'a'.repeat(106)}`;
  assert.equal(given(longest), longest);
  for (const path of [`${longest}a`, `/${'ä'.repeat(54)}`, '/a\0b', '/a\nb'])
    assert.throws(() => given(path), { code: 'invalid_config', field: 'web.unix_socket' });
});
