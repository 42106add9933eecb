import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/package-root.js';
import { tlsOf, webFile } from '../support/web.js';

const check = (file: string) =>
  spawnSync(
    process.execPath,
    [path.join(packageRoot, 'dist/src/main.js'), 'run', '--config.check', '--web.config.file', file],
    { encoding: 'utf8' },
  );

test('--config.check reads the file of --web.config.file too, with its certificates', (context) => {
  const good = check(webFile(context, tlsOf('server')));
  assert.deepEqual([good.status, good.stdout, good.stderr], [0, 'The configuration is valid.\n', '']);
  const bad = check(webFile(context, tlsOf('server').replace('server-key', 'other-key')));
  assert.deepEqual([bad.status, bad.stdout], [1, '']);
  assert.match(bad.stderr, /^mmaplockd: tls_unusable: tls_server_config\.key_file.*is not the key of/);
});
