/** The administrator stops it: nothing of it runs on. */
import { readFileSync } from 'node:fs';
import { check, figure } from '../../kernels/guest/report.js';
import { pidsOf, property, systemctl } from './command.js';

/** Leaves the unit stopped. */
export const stop = async (): Promise<void> => {
  const began = Date.now();
  const stopped = await systemctl('stop', 'mmaplockd');
  check('it stops', stopped.ok, stopped.said);
  check('its end is clean', (await property('Result')) === 'success', await property('Result'));
  check('it ended with 0', (await property('ExecMainStatus')) === '0', await property('ExecMainStatus'));
  check('no tracer is left', pidsOf('bpftrace').length === 0, pidsOf('bpftrace').join(' '));
  const statistics = readFileSync('/proc/sys/kernel/bpf_stats_enabled', 'latin1').trim();
  check('the statistics of the kernel are off', statistics === '0', statistics);
  figure('time to stop', `${((Date.now() - began) / 1000).toFixed(1)} s`);
};
