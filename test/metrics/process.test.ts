import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Family } from '../../src/metrics/family.js';
import { processFamilies } from '../../src/metrics/process.js';

const read = (families: readonly Family[], name: string): number | undefined =>
  [...families.find((family) => family.name === name)!.samples()][0]?.value;

/** Holds the event loop. */
const hold = (milliseconds: number): void => {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
};

const pass = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

test('CPU time is what the kernel says of this process', () => {
  const families = processFamilies();
  const before = read(families, 'process_cpu_seconds_total')!;
  const usage = process.cpuUsage();
  hold(100);
  const used = process.cpuUsage(usage);
  const told = read(families, 'process_cpu_seconds_total')! - before;
  assert.ok(told >= (used.user + used.system) / 1e6, `${told} s`);
  const parts =
    read(families, 'process_cpu_user_seconds_total')! + read(families, 'process_cpu_system_seconds_total')!;
  assert.ok(Math.abs(parts - read(families, 'process_cpu_seconds_total')!) < 0.1, `${parts} s`);
});

test('memory, descriptors and start are those of this process', () => {
  const families = processFamilies();
  const resident = read(families, 'process_resident_memory_bytes')!;
  assert.ok(Math.abs(resident - process.memoryUsage.rss()) < 20e6, `${resident} bytes`);
  assert.ok(read(families, 'process_virtual_memory_bytes')! > resident);
  assert.ok(read(families, 'process_heap_bytes')! > 0);
  assert.ok(read(families, 'process_open_fds')! >= 3);
  const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))![1];
  assert.equal(read(families, 'process_max_fds'), Number(limit));
  const age = Date.now() / 1000 - read(families, 'process_start_time_seconds')!;
  assert.ok(Math.abs(age - performance.now() / 1000) < 2, `started ${age} s ago`);
});

test('where proc cannot be read, what is read there is absent, and nothing throws', () => {
  const told = processFamilies('/nowhere').filter(({ samples }) => [...samples()].length > 0);
  assert.deepEqual(
    told.map(({ name }) => name),
    [
      'process_cpu_user_seconds_total',
      'process_cpu_system_seconds_total',
      'process_cpu_seconds_total',
      'process_start_time_seconds',
      'nodejs_eventloop_lag_seconds',
      'nodejs_eventloop_lag_p99_seconds',
    ],
  );
});

test('an event loop that was held shows its lag once, and without time for it', async () => {
  const families = processFamilies();
  const lag = () => ({
    mean: read(families, 'nodejs_eventloop_lag_seconds')!,
    p99: read(families, 'nodejs_eventloop_lag_p99_seconds')!,
  });
  lag();
  // The first look after a scrape begins the time that the second one measures.
  await pass(600);
  hold(1000);
  // The first timer is due at once, for its time was counted from before.
  await pass(300);
  await pass(300);
  const held = lag();
  assert.ok(held.p99 > 0.4, `held for 1 s: ${held.p99} s late`);
  assert.ok(held.mean > 0 && held.mean <= held.p99, `a mean of ${held.mean} s`);
  assert.deepEqual(lag(), { mean: 0, p99: 0 }, 'no look since the scrape before');
});
