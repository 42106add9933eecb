import assert from 'node:assert/strict';
import { test } from 'node:test';
import { removed, withoutSecrets } from '../../../src/cli/support-bundle/config.js';
import { loadConfig } from '../../../src/config/load.js';

test('what a key names a secret is removed, however deep and whatever its shape', () => {
  const config = {
    web: {
      basic_auth: { users: [{ name: 'ops', password: 'hunter2' }] },
      bearer_token: 'abc',
      tls: { key_file: '/etc/mmaplockd/tls.pem', cert: 'server.crt' },
      apiKey: 'abc',
      credentials: { user: 'ops', realm: 'x' },
      client_secrets: ['abc', 'def'],
      passphrase: 'abc',
    },
  };
  assert.deepEqual(withoutSecrets(config), {
    web: {
      basic_auth: { users: [{ name: 'ops', password: removed }] },
      bearer_token: removed,
      tls: { key_file: removed, cert: 'server.crt' },
      apiKey: removed,
      credentials: removed,
      client_secrets: removed,
      passphrase: removed,
    },
  });
});

test('paths to secrets and addresses with a login are removed, whatever their key', () => {
  const values = {
    file: '/run/secrets/web',
    web: { config: './tokens.yml', certificate: '/etc/tls/host.pem' },
    proxy: 'https://ops:hunter2@proxy:3128/',
    directories: ['/var/lib/mmaplockd', '/srv/passwords'],
  };
  assert.deepEqual(withoutSecrets(values), {
    file: removed,
    web: { config: removed, certificate: removed },
    proxy: removed,
    directories: ['/var/lib/mmaplockd', removed],
  });
});

test('of the settings of today only the path of the token is one: all others stay', () => {
  const flags = { 'incidents.directory': '/var/lib/mmaplockd' };
  const config = loadConfig({ flags });
  assert.deepEqual(withoutSecrets(config), config);
  const guarded = loadConfig({ flags: { ...flags, 'inspect.token_file': '/etc/mmaplockd/inspect' } });
  assert.deepEqual(withoutSecrets(guarded), {
    ...config,
    inspect: { ...config.inspect, token_file: removed },
  });
});
