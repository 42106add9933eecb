/** A killed tracer, a daemon that is killed, and one that hangs. */
import { timed } from '../../kernels/guest/parts.js';
import { check } from '../../kernels/guest/report.js';
import type { Metrics } from '../../live/support/daemon.js';
import { pidsOf, property, systemctl } from './command.js';
import { get, metrics, until, untilReady } from './service.js';

const counters = (now: Metrics): Map<string, number> =>
  new Map(
    now.samples
      .filter(({ name }) => /^mmaplock_.*(_total|_bucket|_count|_sum)$/.test(name))
      .map(({ name, labels, value }) => [name + JSON.stringify(labels), value]),
  );

const tracerPid = async (): Promise<number> =>
  Number((await get<{ tracer: { pid: string } }>('/api/v1/status')).body.tracer.pid);

const mainPid = async (): Promise<number> => Number(await property('MainPID'));

const killedTracer = async (): Promise<void> => {
  const daemon = await mainPid();
  const before = counters(await metrics());
  process.kill(await tracerPid(), 'SIGKILL');
  const back = await until(
    'the tracer is back',
    metrics,
    (now) =>
      now.sum('mmaplock_tracer_restarts_total', { reason: 'killed' }) === 1 &&
      now.sum('mmaplock_tracer_up') === 1,
  );
  check('it survives a killed tracer', (await mainPid()) === daemon);
  const now = counters(back);
  const down = [...before].filter(([key, value]) => (now.get(key) ?? 0) < value).map(([key]) => key);
  check('no counter went back', down.length === 0, down.join(' '));
};

const killedDaemon = async (): Promise<void> => {
  const daemon = await mainPid();
  process.kill(daemon, 'SIGKILL');
  await until('a new process', mainPid, (pid) => pid > 0 && pid !== daemon);
  await untilReady();
  check('killed, it is started again', (await systemctl('is-active', 'mmaplockd')).ok);
  check('of the killed one no tracer is left', pidsOf('bpftrace').length === 1, pidsOf('bpftrace').join(' '));
};

/** It observes before and after. */
export const killed = async (): Promise<void> => {
  await killedTracer();
  await killedDaemon();
};

/** The event loop stands still: systemd notices, and starts it again. Leaves it serving, and its tracer on the way. */
export const hangingDaemon = async (): Promise<void> => {
  const restarts = Number(await property('NRestarts'));
  const daemon = await mainPid();
  const tracer = await tracerPid();
  process.kill(daemon, 'SIGSTOP');
  await timed('waiting for the watchdog', () =>
    until(
      'it was started again',
      () => property('NRestarts'),
      (now) => Number(now) > restarts,
      120,
    ),
  );
  await until('a new process', mainPid, (pid) => pid > 0 && pid !== daemon);
  await until(
    'it serves',
    () => get('/-/healthy'),
    ({ status }) => status === 200,
  );
  check('the watchdog starts one that hangs again', (await systemctl('is-active', 'mmaplockd')).ok);
  const left = pidsOf('bpftrace');
  check('of the one that hung no tracer is left', !left.includes(tracer), `${tracer} of ${left.join(' ')}`);
};
