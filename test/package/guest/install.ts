/** apt installs it, and systemd has started it: ready, and serving. */
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { timed } from '../../kernels/guest/parts.js';
import { check, fact, figure } from '../../kernels/guest/report.js';
import { apt, property, run, systemctl } from './command.js';
import { get, metrics, statusOverSocket, until, untilReady } from './service.js';

/** Gone with a reboot, and no part of the package. */
export const dropIns = '/run/systemd/system/mmaplockd.service.d';

export const socketPath = '/run/mmaplockd/mmaplockd.sock';

interface Status {
  readonly lock_paths?: readonly { readonly file: string; readonly path: string }[];
}

/**
 * A guest is emulated: what takes a second elsewhere takes half a minute. But the watchdog bites earlier than on a host,
 * for the test of it waits as long.
 */
const patience = `[Service]
WatchdogSec=60
Environment=MMAPLOCKD_BPFTRACE_START_TIMEOUT_SECONDS=300
Environment=MMAPLOCKD_BPFTRACE_STALL_RESTART_SECONDS=120
Environment=MMAPLOCKD_BPFTRACE_STALL_SECONDS=60
`;

/** For the starts that follow: the first one has tried out how the kernel serves the proc files. */
const lockPathsKnown = `[Service]
Environment=MMAPLOCKD_PROBES_DISABLE=lock-path
`;

export const firstInstall = async (): Promise<void> => {
  mkdirSync(dropIns, { recursive: true });
  writeFileSync(`${dropIns}/patience.conf`, patience);
  const installed = await timed('apt: the first install', () =>
    apt('install', '/mmaplockd/dist/package-test/first.deb'),
  );
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

  writeFileSync(`${dropIns}/lock-paths-known.conf`, lockPathsKnown);
  await systemctl('daemon-reload');

  const checked = await run('mmaplockd', 'check');
  check('check is content', checked.ok, checked.said.slice(-1500));
  const verified = await run('systemd-analyze', 'verify', '--man=no', 'mmaplockd.service');
  check('systemd finds no fault with the unit', verified.ok && verified.said === '', verified.said);
  const security = await run('systemd-analyze', 'security', '--no-pager', 'mmaplockd.service');
  figure('systemd-analyze security', security.said.trim().split('\n').at(-1) ?? '-');
  const status = await until(
    'the status of the unit',
    () => property('StatusText'),
    (text) => text === 'Observing.',
  );
  check('the status of the unit says what is observed', status === 'Observing.', status);
};
