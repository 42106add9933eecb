/** apt installs it, and systemd has started it: ready, and serving. */
import { statSync } from 'node:fs';
import { check, fact, figure } from '../../kernels/guest/report.js';
import { apt, property, run, systemctl } from './command.js';
import { get, metrics, statusOverSocket, untilReady } from './service.js';

export const socketPath = '/run/mmaplockd/mmaplockd.sock';

interface Status {
  readonly lock_paths?: readonly { readonly file: string; readonly path: string }[];
}

export const firstInstall = async (): Promise<void> => {
  const installed = await apt('install', '/mmaplockd/dist/package-test/first.deb');
  check('apt installs the package', installed.ok, installed.said.slice(-1500));
  check('the unit is enabled', (await systemctl('is-enabled', 'mmaplockd')).ok);
  const active = await systemctl('is-active', 'mmaplockd');
  // Type=notify: a start that has ended has seen READY=1.
  check('the unit is active once apt has ended', active.ok, active.said);
  const health = await get('/-/healthy').catch((error: unknown) => ({ status: String(error) }));
  check('it is alive once it is active', health.status === 200, String(health.status));

  await untilReady();
  check('it observes', (await metrics()).sum('mmaplock_tracer_up') === 1);
  const { body } = await get<Status>('/api/v1/status');
  fact('maps', body.lock_paths?.find(({ file }) => file === 'maps')?.path ?? '-');

  const socket = statSync(socketPath);
  check('the socket is for its group alone', (socket.mode & 0o777) === 0o660, socket.mode.toString(8));
  check('the socket serves the API', (await statusOverSocket(socketPath, '/api/v1/status')) === 200);

  const checked = await run('mmaplockd', 'check');
  check('check is content', checked.ok, checked.said.slice(-1500));
  const verified = await run('systemd-analyze', 'verify', '--man=no', 'mmaplockd.service');
  check('systemd finds no fault with the unit', verified.ok && verified.said === '', verified.said);
  const security = await run('systemd-analyze', 'security', '--no-pager', 'mmaplockd.service');
  figure('systemd-analyze security', security.said.trim().split('\n').at(-1) ?? '-');
  figure('status of the unit', await property('StatusText'));
};
