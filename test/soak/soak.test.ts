/** Half an hour of churn (SOAK_MINUTES): what the daemon and its tracer hold of the host does not grow. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { assertEquations } from '../faults/support/equations.js';
import { killLeftovers } from '../live/support/children.js';
import { startDaemon } from '../live/support/daemon.js';
import { lacking } from '../live/support/host.js';
import { seriesCount } from '../support/exposition.js';
import { startChurn } from './support/churn.js';
import { heapAfterCollections, tracedHeap } from './support/heap.js';
import { assertFlat, assertNoMore, residentOf, type Sample, sample } from './support/samples.js';

const minutes = Number(process.env.SOAK_MINUTES ?? 30);
/**
 * The first part is for what is made once: code that gets compiled, and what fills up to its bound. Of that the history
 * of the page takes longest, a quarter of an hour.
 */
const warmUpSeconds = 60 * Math.min(16, 0.55 * minutes);
/** MiB that a line may rise in the rest: noise of V8 and of an allocator. */
const mostRise = { heap: 2, resident: 5 } as const;
/** V8 widens its heap step by step: in less time, resident memory tells nothing. */
const shortestMinutes = 10;
const mib = 1024 * 1024;

/** A file that the daemon removes meanwhile, for there are too many, has none. */
const sizeOf = async (folder: string): Promise<number> => {
  const sizes = (await readdir(folder)).map((name) =>
    stat(path.join(folder, name)).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
};

test(`${minutes} minutes of churn: memory, descriptors, threads, series and files stay within bounds`, {
  skip: lacking('root', 'tracing', 'bpftrace'),
}, async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'mmaplockd-soak-'));
  const incidents = path.join(folder, 'incidents');
  const heap = path.join(folder, 'heap');
  const say = (line: string): void => t.diagnostic(line);
  try {
    const daemon = await startDaemon({
      args: [
        '--cost.budget-percent=0',
        '--incidents.wait-ms=2',
        '--incidents.quiet-seconds=1',
        `--incidents.directory=${incidents}`,
        '--incidents.directory-mib=1',
      ],
      wrap: tracedHeap(heap),
    });
    const startedAt = performance.now();
    await daemon.ready();
    const began = performance.now();
    const seconds = (): number => (performance.now() - began) / 1000;
    const churn = startChurn(daemon);
    const samples: Sample[] = [];
    let [mostSeries, mostFileBytes] = [0, 0];
    while (seconds() < minutes * 60) {
      const metrics = await daemon.metrics();
      assertEquations(metrics, `after ${Math.round(seconds())} s`);
      mostSeries = Math.max(mostSeries, seriesCount(metrics.text));
      mostFileBytes = Math.max(mostFileBytes, await sizeOf(incidents));
      samples.push(await sample(daemon, seconds()));
      await pause(1000);
    }
    await churn.stop();
    const last = await daemon.settled();
    const total = (name: string): number => last.sum(`mmaplock_${name}_total`) ?? 0;
    const restarts = last.all('mmaplock_tracer_restarts_total').filter(({ value }) => value > 0);
    say(
      JSON.stringify({
        ...churn.rounds,
        ...{ waits: total('waits'), reads: total('proc_reads'), blocks: total('blocks') },
        ...{ incidents: total('incidents'), mostSeries, mostFileBytes },
        restarts: restarts.map(({ labels, value }) => `${labels.reason} ${value}`),
      }),
    );
    const steady = samples.filter(({ at }) => at > warmUpSeconds);
    // V8 counts from the start of Node, which was before that of the churn.
    const collections = (await heapAfterCollections(heap)).filter(
      ({ at }) => at > warmUpSeconds + (began - startedAt) / 1000,
    );
    assertFlat('the heap of the daemon after full collections', collections, mostRise.heap, say);
    for (const who of ['daemon', 'tracer'] as const) {
      const most = minutes < shortestMinutes ? undefined : mostRise.resident;
      assertFlat(`the resident memory of the ${who}`, residentOf(steady, who), most, say);
      // A connection may be open at each of the moments that are compared.
      assertNoMore(steady, who, 'descriptors', 3, say);
      assertNoMore(steady, who, 'threads', 0, say);
    }
    assert.ok(mostSeries <= 1500, `${mostSeries} series`);
    assert.ok(mostFileBytes > 0 && mostFileBytes <= 1.1 * mib, `${mostFileBytes} bytes of incidents`);
    for (const what of ['waits', 'proc_reads', 'blocks', 'incidents']) assert.ok(total(what) > 0, what);
    assert.deepEqual(
      restarts.filter(({ labels }) => !['map_full', 'replan'].includes(labels.reason ?? '')),
      [],
      'no tracer ended but to empty its maps',
    );
    assert.equal(total('decode_errors'), 0);
    assert.equal(await daemon.stop(), 0);
  } finally {
    await killLeftovers();
    await rm(folder, { recursive: true, force: true });
  }
});
