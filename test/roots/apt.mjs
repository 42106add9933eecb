/** What apt on this host knows about mirrors, for roots that must use the same. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { carryNetwork } from './network.mjs';

const output = (command, args) => spawnSync(command, args, { encoding: 'utf8' }).stdout ?? '';

const indexTargets = (origin) =>
  output('apt-get', [
    'indextargets',
    '--format',
    '$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)',
    'Created-By: Packages',
  ])
    .split('\n')
    .map((line) => line.split('|'))
    .filter(([name]) => name === origin)
    .map(([, uri, release, component]) => ({ uri, release, component }));

/**
 * The mirror to make a root from, and the lines of its sources.list: those of this host for the same release
 * (its updates and security archives have other addresses), else the release alone.
 */
export const packageSources = ({ origin, suite, components }) => {
  let targets = indexTargets(origin);
  if (targets.length === 0) {
    // apt knows the origin of a source from its downloaded lists only.
    spawnSync('apt-get', ['update']);
    targets = indexTargets(origin);
  }
  const same = targets.filter(({ release }) => release === suite || release.startsWith(`${suite}-`));
  const mirror = (same.find(({ release }) => release === suite) ?? targets[0])?.uri;
  if (mirror === undefined) throw new Error(`the apt sources of this host name no ${origin} mirror`);
  const wanted = same.filter(({ component }) => components.includes(component));
  const lines =
    wanted.length > 0
      ? wanted.map(({ uri, release, component }) => `deb ${uri} ${release} ${component}`)
      : [`deb ${mirror} ${suite} ${components.join(' ')}`];
  return { suite, components, mirror, lines };
};

/** How apt on this host reaches its mirror: proxies, certificates, mirrors of a fixed date. */
const transportOptions = () =>
  output('apt-config', ['dump'])
    .split('\n')
    .filter((line) =>
      /^Acquire::(https?|Check-Valid-Until|Check-Date|ForceIPv[46])\b.*"[^"]+";$/i.test(line),
    );

/** Lets apt in a root install from the sources, and all programs there reach the network as on this host. */
export const configureApt = (root, { lines }, options = []) => {
  writeFileSync(join(root, 'etc/apt/sources.list'), `${lines.join('\n')}\n`);
  const all = [...transportOptions(), ...options];
  writeFileSync(join(root, 'etc/apt/apt.conf.d/90transport'), `${all.join('\n')}\n`);
  carryNetwork(root);
};
