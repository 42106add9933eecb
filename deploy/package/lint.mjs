/** Holds packages against the policy of Debian, as lintian knows it. */
import { spawnSync } from 'node:child_process';
import { CannotGoOn, say } from '../bootstrap/report.mjs';

/** What is no fault for a package that no distribution uploads. */
const unasked = ['initial-upload-closes-no-bugs', 'bogus-mail-host'];

/** @returns 0 where lintian has no error and no warning, else 1 */
export const lintPackages = (files) => {
  const options = [
    '--fail-on',
    'error,warning',
    '--suppress-tags',
    unasked.join(','),
    '--tag-display-limit',
    '0',
  ];
  if (process.getuid() === 0) options.push('--allow-root');
  const { status, error } = spawnSync('lintian', [...options, ...files], { stdio: ['ignore', 2, 2] });
  if (error !== undefined)
    throw new CannotGoOn(`lintian does not run: ${error.message}`, 'install it: apt-get install lintian');
  say(status === 0 ? 'lintian finds no error and no warning' : 'lintian finds faults');
  return status === 0 ? 0 : 1;
};
