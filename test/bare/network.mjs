/** What programs in the bare host need to reach the network the way this host does. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

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

/** The files which that environment names; they must exist in the bare host under the same paths. */
export const networkFiles = () =>
  Object.values(networkEnvironment()).filter((value) => value.startsWith('/') && existsSync(value));
