import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../src/config/load.js';
import { changedSettings } from '../../src/config/reload.js';

test('what changed is told by its path, apart by what it takes', () => {
  const before = loadConfig({});
  assert.deepEqual(changedSettings(before, loadConfig({})), { live: [], restart: [] });
  const after = loadConfig({
    flags: { 'log.level': 'debug', 'web.listen_address': ['127.0.0.1:1'], allow_second: true },
  });
  assert.deepEqual(changedSettings(before, after), {
    live: ['log.level'],
    restart: ['web.listen_address', 'allow_second'],
  });
});
