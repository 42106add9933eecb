/** A killed tracer, a daemon that hangs, one that is killed, and a stop. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { check, figure } from '../../kernels/guest/report.js';
import type { Metrics } from '../../live/support/daemon.js';
import { pidsOf, property, systemctl } from './command.js';
import { dropIns } from './install.js';
import { get, metrics, until, untilReady } from './service.js';

const shortWatchdog = `${dropIns}/watchdog.conf`;

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

/** The event loop stands still: systemd notices, and starts it again. */
const hangingDaemon = async (): Promise<void> => {
  const restarts = Number(await property('NRestarts'));
  const daemon = await mainPid();
  writeFileSync(shortWatchdog, '[Service]\nWatchdogSec=60\n');
  await systemctl('daemon-reload');
  await systemctl('restart', 'mmaplockd');
  await untilReady();
  const next = await mainPid();
  check('a restart is a new process', next !== daemon && next > 0);
  process.kill(next, 'SIGSTOP');
  await until(
    'it was started again',
    () => property('NRestarts'),
    (now) => Number(now) > restarts,
    120,
  );
  await untilReady();
  check('the watchdog starts one that hangs again', (await mainPid()) !== next);
  check(
    'of the one that hung no tracer is left',
    pidsOf('bpftrace').length === 1,
    pidsOf('bpftrace').join(' '),
  );
  rmSync(shortWatchdog);
  await systemctl('daemon-reload');
};

const killedDaemon = async (): Promise<void> => {
  const daemon = await mainPid();
  process.kill(daemon, 'SIGKILL');
  await until('a new process', mainPid, (pid) => pid > 0 && pid !== daemon);
  await untilReady();
  check('killed, it is started again', (await systemctl('is-active', 'mmaplockd')).ok);
  check('of the killed one no tracer is left', pidsOf('bpftrace').length === 1, pidsOf('bpftrace').join(' '));
};

const stopAndStart = async (): Promise<void> => {
  const began = Date.now();
  const stopped = await systemctl('stop', 'mmaplockd');
  check('it stops', stopped.ok, stopped.said);
  check('its end is clean', (await property('Result')) === 'success', await property('Result'));
  check('it ended with 0', (await property('ExecMainStatus')) === '0', await property('ExecMainStatus'));
  check('no tracer is left', pidsOf('bpftrace').length === 0, pidsOf('bpftrace').join(' '));
  const statistics = readFileSync('/proc/sys/kernel/bpf_stats_enabled', 'latin1').trim();
  check('the statistics of the kernel are off', statistics === '0', statistics);
  figure('time to stop', `${((Date.now() - began) / 1000).toFixed(1)} s`);
  const started = await systemctl('start', 'mmaplockd');
  check('it starts', started.ok, started.said);
  await untilReady();
};

export const faults = async (): Promise<void> => {
  await killedTracer();
  await hangingDaemon();
  await killedDaemon();
  await stopAndStart();
};
