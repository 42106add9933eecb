/** Waits on PREEMPT_RT, held against the events of the kernel as an independent program counts them. */
import { readFileSync } from 'node:fs';
import { parseBtf } from '../../../src/kernel/btf.js';
import type { RunningDaemon } from '../../live/support/daemon.js';
import { runWorkload } from '../../live/support/workload.js';
import { timedWitness } from './parts.js';
import { check, fact, figure } from './report.js';
import { total } from './scenarios.js';

const name = 'wr-rt';

/** LCB_F_READ 2, LCB_F_WRITE 4, LCB_F_RT 8; a reader's wait holds one at the rt_mutex, which is its own. */
const probes = (): string => {
  const btf = parseBtf(readFileSync('/sys/kernel/btf/vmlinux'));
  const lock = btf.memberOffset('mm_struct', 'mmap_lock') ?? 0;
  const mutex = lock + (btf.memberOffset('rwbase_rt', 'rtmutex') ?? 0);
  return `
    tracepoint:lock:contention_begin /comm == "${name}" && (uint64)args->lock_addr == (uint64)curtask->mm + ${lock}/
      { @reads[tid] = args->flags == 10; @waits = count(); }
    tracepoint:lock:contention_end /comm == "${name}" && (uint64)args->lock_addr == (uint64)curtask->mm + ${lock}/
      { delete(@reads[tid]); }
    tracepoint:lock:contention_begin
    /comm == "${name}" && (uint64)args->lock_addr == (uint64)curtask->mm + ${mutex} && @reads[tid] == 0/
      { @waits = count(); }`;
};

export const waitsOnRt = async (daemon: RunningDaemon): Promise<void> => {
  const { body } = await daemon.get<{ observables: readonly { what: string; source?: string }[] }>(
    '/api/v1/status',
  );
  const source = body.observables.find(({ what }) => what === 'waits')?.source;
  check('the plan tells of waits on PREEMPT_RT', source === 'contention-tracepoint-rt', source);
  fact('maps', 'not told');
  const witness = await timedWitness(probes());
  const args = ['--threads', '4', '--vmas', '300', '--seconds', '4', '--name', name];
  const { ops } = await (await runWorkload('writers', args)).done;
  const metrics = await daemon.settled();
  const seen = Number((await witness.stop())['@waits'] ?? 0);
  const counted = total(metrics, 'process_waits_total', { process: name });
  const long = Object.values(ops).reduce((sum, op) => sum + op.over_1ms, 0);
  const told = `${counted} waits, the kernel's events ${seen}, ${long} calls over 1 ms`;
  figure('waits on PREEMPT_RT', told);
  check(
    'waits on PREEMPT_RT: as many as the kernel tells of',
    seen > 20 && Math.abs(counted / seen - 1) <= 0.02,
    told,
  );
};
