/** A later version of the package, and its end. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { check } from '../../kernels/guest/report.js';
import { apt, pidsOf, property, run, systemctl, traces } from './command.js';
import { get, untilReady } from './service.js';
import { configFile } from './settings.js';

const setting = '\n# Written by the administrator of this host.\nlog:\n  level: debug\n';

const version = async (): Promise<string> =>
  (await run('dpkg-query', '-W', '-f', '$' + '{Version} $' + '{db:Status-Status}', 'mmaplockd')).said;

export const upgrade = async (): Promise<void> => {
  appendFileSync(configFile, setting);
  const text = readFileSync(configFile, 'utf8');
  const daemon = await property('MainPID');
  const upgraded = await apt('install', '/mmaplockd/dist/package-test/next.deb');
  check('apt upgrades the package', upgraded.ok, upgraded.said.slice(-1500));
  check('the later version is installed', /\+next installed$/.test(await version()), await version());
  check('the configuration is kept as it was', readFileSync(configFile, 'utf8') === text);
  check('the unit is active after it', (await systemctl('is-active', 'mmaplockd')).ok);
  check('and runs what was installed', (await property('MainPID')) !== daemon);
  await untilReady();
};

/** An upgrade must not end what runs for a configuration that the new one cannot start with. */
export const upgradeRefused = async (): Promise<void> => {
  const running = await property('MainPID');
  appendFileSync(configFile, '\nlogg: {}\n');
  const again = await apt('install', '--reinstall', '/mmaplockd/dist/package-test/next.deb');
  check(
    'an upgrade with a wrong configuration leaves the old process',
    (await property('MainPID')) === running,
  );
  check('and says so', /config/i.test(again.said), again.said.slice(-1500));
  check('which still serves', (await get('/-/healthy')).status === 200);
};

export const purge = async (): Promise<void> => {
  const removed = await apt('remove', 'mmaplockd');
  check('apt removes the package', removed.ok, removed.said.slice(-1500));
  check(
    'no process of it is left',
    pidsOf('bpftrace').length === 0 && !(await systemctl('is-active', 'mmaplockd')).ok,
  );
  check('the configuration outlives a removal', existsSync(configFile));
  const purged = await apt('purge', 'mmaplockd');
  check('apt purges the package', purged.ok, purged.said.slice(-1500));
  const left = await traces();
  check('no file of it is left', left.length === 0, left.join(' '));
  check('nor its group', !(await run('getent', 'group', 'mmaplockd')).ok);
  const units = (await systemctl('list-units', '--all', '--plain', '--no-legend', 'mmaplockd.service')).said;
  check('nor its unit', !/mmaplockd\.service/.test(units), units);
};
