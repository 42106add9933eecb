/**
 * The life of the package on a host with systemd, one chapter after the other: a chapter finds the host as the one
 * before has left it. See run.mjs.
 */
import { release } from 'node:os';
import { execaSync } from 'execa';
import { timed } from '../../kernels/guest/parts.js';
import { check, done, fact, log, part } from '../../kernels/guest/report.js';
import { killLeftovers } from '../../live/support/children.js';
import { run } from './command.js';
import { hangingDaemon, killed } from './faults.js';
import { firstInstall } from './install.js';
import { load } from './load.js';
import { blindHost, wrongSetting } from './settings.js';
import { stop } from './stop.js';
import { purge, upgrade, upgradeRefused } from './upgrade.js';

/** In an order in which few of them wait until it observes: that takes the emulator a minute each time. */
const chapters: readonly [string, () => Promise<void>][] = [
  ['install', firstInstall],
  ['load', load],
  ['wrong setting', wrongSetting],
  ['killed', killed],
  ['stop', stop],
  ['blind host', blindHost],
  ['upgrade', upgrade],
  ['hanging daemon', hangingDaemon],
  ['upgrade with a wrong configuration', upgradeRefused],
  ['purge', purge],
];

const tell = async (): Promise<void> => {
  for (const [name, chapter] of chapters) {
    try {
      await timed(name, chapter);
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
    part('going off');
    process.exit();
  });
