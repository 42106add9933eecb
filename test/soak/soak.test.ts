/** 35 minutes of churn (SOAK_MINUTES), once its lists are full: what the daemon and its tracer hold does not grow. */
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
import { ofTheDead, startKeeper } from '../live/support/kept.js';
import { seriesCount } from '../support/exposition.js';
import { startChurn } from './support/churn.js';
import { fillLists } from './support/fill.js';
import { heapAfterCollections, tracedHeap } from './support/heap.js';
import { patience, patientFlags, twoMoreTicks } from './support/patience.js';
import {
  assertLevel,
  assertNoMore,
  assertRisesLittle,
  residentOf,
  type Sample,
  sample,
} from './support/samples.js';

const minutes = Number(process.env.SOAK_MINUTES ?? 35);
/** The first part is for the history of the page, a quarter of an hour: what the names before the churn left in it goes. */
const warmUpSeconds = 60 * Math.min(16, 0.55 * minutes);
/** MiB an hour by which the heap may rise. */
const mostHeapAnHour = 0.5;
/** MiB that resident memory may rise after the first part: noise of V8 and of an allocator. */
const mostResidentRise = 5;
/** In less time nothing is filled, and V8 still widens its heap step by step: memory tells nothing. */
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
        ...patientFlags,
      ],
      wrap: tracedHeap(heap),
    });
    const startedAt = performance.now();
    await daemon.ready(patience);
    const judged = minutes >= shortestMinutes;
    const killed = judged ? await fillLists(daemon, say) : 0;
    const began = performance.now();
    const seconds = (): number => (performance.now() - began) / 1000;
    // The same program beside the daemon, by a bpftrace that nobody starts again.
    const keeper = await startKeeper();
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
    const kept = await keeper.stop();
    const last = await twoMoreTicks(daemon);
    const total = (name: string): number => last.sum(`mmaplock_${name}_total`) ?? 0;
    const restarts = last.all('mmaplock_tracer_restarts_total').filter(({ value }) => value > 0);
    say(
      JSON.stringify({
        ...churn.rounds,
        ...{ waits: total('waits'), reads: total('proc_reads'), blocks: total('blocks') },
        ...{ incidents: total('incidents'), mostSeries, mostFileBytes },
        restarts: restarts.map(({ labels, value }) => `${labels.reason} ${value}`),
        full: last.all('mmaplock_map_overflows_total').map(({ labels, value }) => `${labels.map} ${value}`),
      }),
    );
    assert.deepEqual(ofTheDead(kept), {}, 'what is kept of the dead');
    const working = new Set(kept.working.map((name) => name.slice(1)));
    assert.deepEqual(
      last
        .all('mmaplock_map_overflows_total')
        .filter(({ labels, value }) => value > 0 && working.has(labels.map ?? '')),
      [],
      'no map was full but those of names',
    );
    const steady = samples.filter(({ at }) => at > warmUpSeconds);
    // V8 counts from the start of Node, which was before that of the churn.
    const collections = (await heapAfterCollections(heap)).filter(
      ({ at }) => at > warmUpSeconds + (began - startedAt) / 1000,
    );
    const heapIs = 'the heap of the daemon after full collections';
    assertLevel(heapIs, collections, { most: judged ? mostHeapAnHour : undefined, say });
    for (const who of ['daemon', 'tracer'] as const) {
      const most = judged ? mostResidentRise : undefined;
      assertRisesLittle(`the resident memory of the ${who}`, residentOf(steady, who), { most, say });
      // A connection may be open at each of the moments that are compared.
      assertNoMore(steady, who, 'descriptors', 3, say);
      assertNoMore(steady, who, 'threads', 0, say);
    }
    assert.ok(mostSeries <= 1500, `${mostSeries} series`);
    assert.ok(mostFileBytes > 0 && mostFileBytes <= 1.1 * mib, `${mostFileBytes} bytes of incidents`);
    for (const what of ['waits', 'proc_reads', 'blocks', 'incidents']) assert.ok(total(what) > 0, what);
    const ofKilled = last.sum('mmaplock_tracer_restarts_total', { reason: 'killed' }) ?? 0;
    assert.ok(ofKilled <= killed, `${ofKilled} tracers were killed, ${killed} of them by this test`);
    assert.deepEqual(
      restarts.filter(({ labels }) => !['map_full', 'replan', 'killed'].includes(labels.reason ?? '')),
      [],
      'no other tracer ended but to empty its maps',
    );
    const notUnderstood = daemon.log.filter(
      ({ msg }) => msg === 'a line of bpftrace could not be understood',
    );
    assert.equal(total('decode_errors'), 0, notUnderstood.map(({ reason }) => reason).join('; '));
    assert.equal(await daemon.stop(), 0);
  } finally {
    await killLeftovers();
    await rm(folder, { recursive: true, force: true });
  }
});
