/** The text of /metrics: rendered at most once a tick however many scrape, and gzipped once. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Clock } from '../clock.js';
import type { Ledger } from '../ledger/ledger.js';
import type { LockPathEvidence } from '../probes/lock-path/evidence.js';
import type { ProbePlan } from '../probes/plan.js';
import type { IncidentLosses } from '../store/incident-store.js';
import type { Observable, ShedStep } from '../vocabulary.js';
import { blockFamilies } from './blocks.js';
import { budgetFamilies } from './budget.js';
import { lagFamilies } from './event-loop-lag.js';
import { type Family, register } from './family.js';
import { incidentFamilies } from './incidents.js';
import { lockPathFamilies } from './lock-paths.js';
import { readerFamilies } from './readers.js';
import { type CostTotals, tracerFamilies } from './tracer.js';
import { convoyFamilies, vmaWaitFamilies } from './victims.js';
import { waitFamilies } from './waits.js';
import { watchedFamilies } from './watched.js';

export interface ExpositionSources {
  readonly ledger: Ledger;
  readonly plan: () => ProbePlan;
  readonly lockPaths: () => readonly LockPathEvidence[];
  readonly cost: () => CostTotals;
  /** Given up now to keep to the cost budget. */
  readonly shed: () => readonly ShedStep[];
  /** Incidents that could not be kept on disk, so far. */
  readonly incidentLosses: () => IncidentLosses;
  /** In which inspect mode was on, so far. */
  readonly inspectSeconds: () => number;
  readonly clock: Pick<Clock, 'now' | 'timeOfDay'>;
  readonly kernelRelease: string;
  readonly version: string;
  /** Version of bpftrace; undefined while none was found. */
  readonly bpftrace: () => string | undefined;
}

export interface Exposition {
  readonly contentType: string;
  readonly text: string;
  readonly gzipped: Buffer;
}

const compress = promisify(gzip);

/** A rendering older than this many milliseconds is made anew even without a tick. */
const longestAge = 1000;

/** Of prom-client's defaults: what the daemon itself takes. */
const wantedDefault = /^process_/;

/** Milliseconds: prom-client need not watch the event loop. */
const never = 2 ** 31 - 1;

export class MetricsText {
  readonly #registry = new Registry();
  readonly #clock: Pick<Clock, 'now'>;
  #cached: { readonly at: number; readonly exposition: Promise<Exposition> } | undefined;

  constructor(sources: ExpositionSources) {
    this.#clock = sources.clock;
    const { waits, readers, blocks, blockedTime, watched, vmaWaits, convoys, incidents, tracer } =
      sources.ledger;
    const { plan } = sources;
    // Planned is not seen: before the first tick nothing was looked at, and a 0 would say otherwise.
    const observed = (what: Observable): boolean =>
      tracer.lastTickAt !== undefined && plan().observables[what].observed;
    const families = [
      ...waitFamilies(waits, observed),
      ...readerFamilies({ readers, plan, observed }),
      ...blockFamilies({ blocks, blockedTime, readers, plan, observed }),
      ...watchedFamilies({ watched, plan, observed }),
      ...vmaWaitFamilies(vmaWaits, observed),
      ...convoyFamilies(convoys, observed),
      ...incidentFamilies({ incidents, losses: sources.incidentLosses, plan, observed }),
      ...tracerFamilies({
        tracer,
        observed,
        plan,
        cost: sources.cost,
        inspectSeconds: sources.inspectSeconds,
        folded: () =>
          new Map([
            ['process_waits', waits.processes.folded],
            ['reader_reads', readers.readers.folded],
            ['reader_blocks', blocks.pairs.folded],
            ['victim_vma_wait_seconds', vmaWaits.victims.folded],
            ['victim_convoy_wait_seconds', convoys.victims.folded],
          ]),
        clock: sources.clock,
      }),
      ...budgetFamilies(sources),
      ...lockPathFamilies(sources.lockPaths),
      ...infoFamilies(sources),
      ...lagFamilies(),
    ];
    for (const family of families) register(this.#registry, family);
    const defaults = new Registry();
    collectDefaultMetrics({ register: defaults, eventLoopMonitoringPrecision: never });
    for (const { name } of defaults.getMetricsAsArray())
      if (wantedDefault.test(name)) this.#registry.registerMetric(defaults.getSingleMetric(name)!);
  }

  /** A tick has come: the next scrape renders anew. */
  invalidate(): void {
    this.#cached = undefined;
  }

  current(): Promise<Exposition> {
    const now = this.#clock.now();
    if (this.#cached === undefined || now - this.#cached.at > longestAge)
      this.#cached = { at: now, exposition: this.#render() };
    return this.#cached.exposition;
  }

  async #render(): Promise<Exposition> {
    const text = await this.#registry.metrics();
    return { contentType: this.#registry.contentType, text, gzipped: await compress(text) };
  }
}

const infoFamilies = ({ version, kernelRelease, bpftrace }: ExpositionSources): Family[] => [
  {
    name: 'mmaplock_build_info',
    help: 'Versions of mmaplockd, Node.js and bpftrace; always 1.',
    type: 'gauge',
    samples: () => [
      { labels: { version, node: process.versions.node, bpftrace: bpftrace() ?? 'none' }, value: 1 },
    ],
  },
  {
    name: 'mmaplock_kernel_info',
    help: 'The kernel release of this host; always 1.',
    type: 'gauge',
    samples: () => [{ labels: { release: kernelRelease }, value: 1 }],
  },
];
