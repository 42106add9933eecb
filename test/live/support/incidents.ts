/** Incidents as the API gives them, and how one is brought about. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { assertTimely } from '../../support/timing.js';
import { track } from './children.js';
import type { RunningDaemon } from './daemon.js';
import { patience } from './patience.js';
import { runWorkload, type WritersResult, witness } from './workload.js';

export interface IncidentReader {
  readonly name: string;
  readonly pid: string | null;
  readonly file: string;
  readonly share_seconds: number;
  readonly nice: number | null;
  readonly off_cpu_seconds: number | null;
}

export interface Incident {
  readonly id: string;
  readonly state: 'open' | 'closed';
  readonly sentence: string;
  readonly advice: readonly string[];
  readonly evidence: string;
  readonly victim: { readonly name: string; readonly pid: string | null };
  readonly file: string | null;
  readonly lock_path: string | null;
  readonly readers: readonly IncidentReader[];
  readonly waits_total: number;
  /** Of the waits told one by one. */
  readonly wait_seconds_total: number;
  readonly longest_wait_seconds: number;
  readonly convoy_waits_total: number;
}

export const incidentsOf = async (daemon: RunningDaemon, victim = ''): Promise<readonly Incident[]> => {
  const { body } = await daemon.get<{ data: readonly Incident[] }>(
    `/api/v1/incidents${victim === '' ? '' : `?victim=${victim}`}`,
  );
  return body.data;
};

/** Mappings so large that a reader of smaps holds the lock for some 50 us at a time: see blocks.test.ts. */
export const largeMappings = ['--vmas', '600', '--vma-bytes', '524288'];

export interface Starved {
  readonly reader: number;
  readonly writer: number;
  readonly writers: WritersResult;
  /** Seconds of its longest call, by its own clock, and of its longest wait, by a program that shares nothing with ours. */
  readonly longest: { readonly call: number; readonly wait: number };
}

export interface StarveOptions {
  readonly reader: string;
  readonly writer: string;
  /** Enough was seen, and it ends; or never, and it ends after its patience. */
  readonly until: () => Promise<boolean>;
}

/**
 * A reader of smaps that stands behind a busy loop on its CPU, at nice 19, and so now and then holds the lock of its
 * target while it has no CPU.
 */
export const starve = async ({ reader, writer, until }: StarveOptions): Promise<Starved> => {
  const args = ['--threads', '1', ...largeMappings, '--pin', '0', '--fault-gap-us', '1000'];
  const time = ['--seconds', '600', '--name'];
  const writers = await runWorkload('writers', [...args, ...time, writer], { gate: true });
  await writers.ready;
  const waits = await witness(longestWriteWait(writers.pid));
  writers.release();
  const busy = execa('taskset', ['-c', '1', 'sh', '-c', 'while :; do :; done'], { reject: false });
  track(busy);
  const starved = ['smaps', String(writers.pid), '--pin', '1', '--nice', '19'];
  const readers = await runWorkload('proc-reader', [...starved, ...time, reader]);
  for (const deadline = Date.now() + patience(15); !(await until()) && Date.now() < deadline; )
    await sleep(50);
  busy.kill('SIGKILL');
  await readers.stop();
  const result = await writers.stop();
  const wait = Number((await waits.stop())['@longest'] ?? 0) / 1e9;
  const call =
    Math.max(...(['mmap', 'munmap', 'mprotect'] as const).map((op) => result.ops[op].max_ns)) / 1e9;
  return { reader: readers.pid, writer: writers.pid, writers: result, longest: { call, wait } };
};

const longestWriteWait = (pid: number): string => `
  tracepoint:lock:contention_begin /pid == ${pid} && args->flags == 4/ {
    @begun[tid, args->lock_addr] = nsecs;
  }
  tracepoint:lock:contention_end /@begun[tid, args->lock_addr] != 0/ {
    @longest = max(nsecs - @begun[tid, args->lock_addr]);
    delete(@begun[tid, args->lock_addr]);
  }`;

/** An incident tells the longest wait: of one wait, the two programs read the clock within a millisecond. */
export const assertLongest = (incident: Incident, { longest: { call, wait } }: Starved): void => {
  const told = incident.longest_wait_seconds;
  assert.ok(told <= call, `${told} s told, in calls of ${call} s at most`);
  assertTimely(Math.abs(told - wait) <= 0.001, `${told} s told, ${wait} s by the witness`);
};
