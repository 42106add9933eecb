/** What the administrator writes into the configuration: something wrong, and something that blinds it. */
import { appendFileSync, copyFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check } from '../../kernels/guest/report.js';
import type { Readiness } from '../../live/support/daemon.js';
import { property, systemctl } from './command.js';
import { get, metrics, until } from './service.js';

export const configFile = '/etc/mmaplockd/config.yaml';
const kept = join(tmpdir(), 'config.yaml');

export const wrongSetting = async (): Promise<void> => {
  copyFileSync(configFile, kept);
  const daemon = await property('MainPID');
  appendFileSync(configFile, '\nlogg:\n  level: info\n');
  const reloaded = await systemctl('reload', 'mmaplockd');
  check('a reload with a wrong configuration is refused', !reloaded.ok);
  check('the daemon goes on with the old one', (await property('MainPID')) === daemon);
  check('it still serves', (await get('/-/healthy')).status === 200);
  copyFileSync(kept, configFile);
  const right = await systemctl('reload', 'mmaplockd');
  check('a reload with a right one is done', right.ok, right.said);
  check('by the same process', (await property('MainPID')) === daemon);
};

/**
 * A unit that never starts would hide the metric that says why. Finds it stopped; leaves it
 * blind, with a configuration by which it will see: the upgrade starts it again.
 */
export const blindHost = async (): Promise<void> => {
  copyFileSync(configFile, kept);
  writeFileSync(configFile, 'probes:\n  allow: [none]\n');
  const started = await systemctl('start', 'mmaplockd');
  check('it is started where nothing can be observed', started.ok, started.said);
  const { status, body } = await until(
    'an answer',
    () => get<Readiness>('/-/ready'),
    () => true,
  );
  check(
    'it says that it is not ready, and why',
    status === 503 && body.problems.length > 0,
    JSON.stringify(body),
  );
  const now = await metrics();
  check('its metrics say so, too', now.sum('mmaplock_observable') === 0, `${now.sum('mmaplock_observable')}`);
  copyFileSync(kept, configFile);
};
