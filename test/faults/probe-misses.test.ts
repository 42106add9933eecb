/**
 * Probes that the kernel skips: while a BPF program runs on a CPU, an event that comes there in between (an interrupt,
 * or a task that preempted it) runs no other (trace_call_bpf(), kernel/trace/bpf_trace.c; counted for each program
 * since 6.7). Brought about by many readers and writers, in whose reads and waits programs run, and whose short sleeps
 * end in interrupts. On a kernel that preempts itself that is enough; on another it takes a lock of the kernel that is
 * contended just then.
 */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { killLeftovers } from '../live/support/children.js';
import { type Metrics, startDaemon } from '../live/support/daemon.js';
import { lacking } from '../live/support/host.js';
import { runWorkload } from '../live/support/workload.js';
import { missedReads } from './support/misses.js';

const skip = lacking('root', 'tracing', 'bpftrace');

afterEach(killLeftovers);

/** So many are proof enough; a kernel that skips none in this time is told. */
const enough = 5;
const mostMilliseconds = 20_000;

/** The kernel's own count, over all programs of a tracer. */
const skippedByKernel = async (tracer: number): Promise<number> => {
  const programs = new Map<string, number>();
  for (const descriptor of await readdir(`/proc/${tracer}/fdinfo`)) {
    const text = await readFile(`/proc/${tracer}/fdinfo/${descriptor}`, 'latin1').catch(() => '');
    const field = (name: string): string | undefined => new RegExp(`^${name}:\t(\\d+)$`, 'm').exec(text)?.[1];
    const misses = field('recursion_misses');
    if (misses !== undefined) programs.set(field('prog_id') as string, Number(misses));
  }
  assert.ok(programs.size > 0, 'the tracer has no programs');
  return [...programs.values()].reduce((sum, count) => sum + count, 0);
};

const told = (metrics: Metrics): number => metrics.sum('mmaplock_probe_misses_total') ?? 0;

test('what the kernel skipped is told, by probe, and no more than that is missing', { skip }, async (t) => {
  const daemon = await startDaemon();
  const before = await daemon.ready(60);
  const tracer = await daemon.tracerPid();
  const target = await runWorkload('writers', ['--vmas', '200', '--seconds', '600', '--threads', '16']);
  await target.ready;
  const args = ['--name', 'rd-missed', '--threads', '32', '--buffer', '256', '--pause-us', '20'];
  const reader = await runWorkload('proc-reader', ['maps', String(target.pid), ...args, '--seconds', '600']);
  const deadline = Date.now() + mostMilliseconds;
  while ((await skippedByKernel(tracer)) < enough && Date.now() < deadline) await sleep(250);
  const truth = await reader.stop();
  await target.stop();
  const kernel = await skippedByKernel(tracer);
  await daemon.settled();
  const after = await daemon.until('the count of the kernel', (now) => told(now) >= kernel);

  const byProbe = after
    .all('mmaplock_probe_misses_total')
    .filter(({ value }) => value > 0)
    .map(({ labels, value }) => [labels.probe, value]);
  const labels = { reader: 'rd-missed', file: 'maps' };
  const reads = after.sum('mmaplock_reader_reads_total', labels) ?? 0;
  const misses = missedReads(after) - missedReads(before);
  t.diagnostic(JSON.stringify({ kernel, byProbe, truth: truth.reads, reads }));
  // Others on this host go on meanwhile, and the kernel may have skipped more.
  assert.ok(told(after) <= (await skippedByKernel(tracer)), `${told(after)} told, more than there were`);
  assert.ok(reads <= truth.reads, `${reads} reads of ${truth.reads}`);
  assert.ok(reads + misses >= truth.reads, `${reads} reads and ${misses} missed of ${truth.reads}`);
  assert.equal(await daemon.stop(), 0);
  if (kernel === 0) t.skip(`this kernel skipped no probe in ${truth.reads} reads by 32 threads`);
});
