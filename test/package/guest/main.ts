/**
 * The life of the package on a host with systemd, one chapter after the other: a chapter finds the host as the one
 * before has left it. See run.mjs.
 */
import { release } from 'node:os';
import { execaSync } from 'execa';
import { check, done, fact, log } from '../../kernels/guest/report.js';
import { killLeftovers } from '../../live/support/children.js';
import { run } from './command.js';
import { faults } from './faults.js';
import { firstInstall } from './install.js';
import { load } from './load.js';
import { blindHost, wrongSetting } from './settings.js';
import { stop } from './stop.js';
import { purge, upgrade } from './upgrade.js';

const chapters: readonly [string, () => Promise<void>][] = [
  ['install', firstInstall],
  ['load', load],
  ['faults', faults],
  ['wrong setting', wrongSetting],
  ['stop', stop],
  ['blind host', blindHost],
  ['upgrade', upgrade],
  ['purge', purge],
];

const tell = async (): Promise<void> => {
  for (const [name, chapter] of chapters) {
    try {
      await chapter();
    } catch (error) {
      check(`${name}: it runs to its end`, false, String((error as Error).stack ?? error).slice(0, 2000));
      await killLeftovers();
    }
  }
  log('journal.log', (await run('journalctl', '--no-pager', '-u', 'mmaplockd.service')).said);
};

fact('release', release());
fact('bpftrace', execaSync('bpftrace', ['--version']).stdout.replace(/^bpftrace v?/, ''));
tell()
  .catch((error: unknown) => check('the tests run to their end', false, String(error)))
  .finally(() => {
    done();
    process.exit();
  });
