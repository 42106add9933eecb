/** What programs in a root need to reach the network the way this host does. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const variables = [
  ...['http_proxy', 'https_proxy', 'no_proxy'].flatMap((name) => [name, name.toUpperCase()]),
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
];
const npmSettings = ['registry', 'cafile', 'proxy', 'https-proxy', 'noproxy', 'strict-ssl'];

const npmSetting = (name) => {
  const value = spawnSync('npm', ['config', 'get', name], { encoding: 'utf8' }).stdout?.trim() ?? '';
  return ['', 'null', 'undefined'].includes(value) ? undefined : value;
};

let found;

/** Environment variables that name proxies, certificates and the npm registry, as set on this host. */
export const networkEnvironment = () => {
  found ??= Object.fromEntries(
    [
      ...variables.map((name) => [name, process.env[name]]),
      ...npmSettings.map((name) => [`npm_config_${name.replaceAll('-', '_')}`, npmSetting(name)]),
    ].filter(([, value]) => value !== undefined),
  );
  return found;
};

/** The files which that environment names; they must exist in the root under the same paths. */
const networkFiles = () =>
  Object.values(networkEnvironment()).filter((value) => value.startsWith('/') && existsSync(value));

/** Copies the files which tell programs where the network is. */
export const carryNetwork = (root) => {
  for (const file of ['/etc/resolv.conf', '/etc/hosts', ...networkFiles()]) {
    if (!existsSync(file)) continue;
    mkdirSync(join(root, dirname(file)), { recursive: true });
    writeFileSync(join(root, file), readFileSync(file));
  }
};
