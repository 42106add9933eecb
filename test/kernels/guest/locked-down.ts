/** A host where the kernel lets nobody see its memory: blind, by name. */
import { runCli, startDaemon } from '../../live/support/daemon.js';
import { eventually } from '../../live/support/patience.js';
import { check, figure } from './report.js';
import { patience } from './start.js';

interface Answer {
  readonly problems: readonly { readonly code: string; readonly message: string; readonly fix: string }[];
}

export const lockedDown = async (): Promise<void> => {
  const { exitCode, stdout } = await runCli(['check', '--json', ...patience]);
  const { verdict, kernel, observables } = JSON.parse(stdout);
  figure('check', `exit ${exitCode}, ${verdict}, ${JSON.stringify(observables[0])}`);
  check('check: blind, exit 2', exitCode === 2 && verdict === 'blind', `${exitCode}, ${verdict}`);
  check('check: it names the lockdown', kernel.lockdown === 'confidentiality', kernel.lockdown);
  const reason = JSON.stringify(observables[0]);
  check('check: the reason is the lockdown', /lockdown/.test(reason), reason);
  const mounts = /mount -t tracefs/.test(stdout);
  check('check: no advice that cannot help', !mounts, stdout.match(/.*mount -t tracefs.*/)?.[0]);
  const daemon = await startDaemon({ args: patience });
  const { status, told } = await eventually('the lockdown is a problem of /-/ready', async () => {
    const answer = await daemon.get<Answer>('/-/ready');
    const problems = JSON.stringify(answer.body.problems);
    return /lockdown/.test(problems) ? { status: answer.status, told: problems } : undefined;
  });
  figure('/-/ready', `${status}, ${told}`);
  check('/-/ready: not ready, for the lockdown', status === 503, `${status}`);
  check('it ends with 0', (await daemon.stop()) === 0);
};
