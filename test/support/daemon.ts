/** A daemon without tracer and host: real ledger and metrics, a plan and a tracer state made by hand. */

import type { TracerState } from '../../src/bpftrace/supervise.js';
import { loadConfig } from '../../src/config/load.js';
import type { Config } from '../../src/config/schema.js';
import { MmaplockError } from '../../src/errors.js';
import type { KernelFacts } from '../../src/host.js';
import type { DaemonView } from '../../src/http/context.js';
import type { CgroupIdentity } from '../../src/identity/cgroup-path.js';
import { Ledger } from '../../src/ledger/ledger.js';
import { MetricsText } from '../../src/metrics/exposition.js';
import type { CostTotals } from '../../src/metrics/tracer.js';
import { parseFragment } from '../../src/probes/fragment.js';
import type { Observation, ProbePlan } from '../../src/probes/plan.js';
import { type Readiness, readinessOf } from '../../src/readiness.js';
import type { TracerRecord } from '../../src/records.js';
import { type Observable, observables } from '../../src/vocabulary.js';

/** A fixed time, milliseconds since the epoch: 2025-06-01T12:00:00Z. */
export const epoch = Date.UTC(2025, 5, 1, 12);

const waitsFragment = parseFragment(
  'waits',
  `// waits.bt  Who waits.
//@ mode watch
//@ provides waits
//@ provides operations
//@ cost hardly any
tracepoint:lock:contention_begin
{
  @begun = args->lock_addr;
}
`,
);

/** A plan that observes what is named, by a fragment `waits`. */
export const planOf = (
  observed: readonly Observable[] = ['waits', 'operations'],
  more: Partial<ProbePlan> = {},
): ProbePlan => ({
  chosen: observed.length === 0 ? [] : [{ fragment: waitsFragment, constants: new Map() }],
  refused: [],
  observables: Object.fromEntries(
    observables.map((what): [Observable, Observation] => [
      what,
      observed.includes(what)
        ? { observed: true, source: 'waits' }
        : {
            observed: false,
            reason: { code: 'no_fragment', detail: 'no fragment of this version provides it' },
          },
    ]),
  ) as ProbePlan['observables'],
  ...more,
});

export const observingTracer = (at: number = epoch): TracerState => ({
  phase: 'observing',
  since: at,
  pid: 1234,
  bpftrace: { path: '/usr/bin/bpftrace', version: '0.17.0' },
});

export const failedTracer = (at: number = epoch): TracerState => ({
  phase: 'waiting',
  since: at,
  error: new MmaplockError('bpftrace_missing', 'there is no bpftrace'),
  nextTryAt: at + 30_000,
});

const kernel: KernelFacts = {
  release: '6.1.0-test-amd64',
  machine: 'x86_64',
  possibleCpus: 8,
  lockdown: 'none',
  kprobes: false,
  functionTracing: 'absent',
  problems: [],
};

const noCost: CostTotals = {
  cpuSeconds: 0,
  residentBytes: undefined,
  mapBytes: undefined,
  misses: new Map(),
};

export interface FakeDaemonOptions {
  readonly plan?: ProbePlan;
  readonly tracer?: TracerState;
  readonly cost?: CostTotals;
  readonly kernel?: Partial<KernelFacts>;
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly cgroups?: Readonly<Record<string, CgroupIdentity>>;
  readonly processNames?: Readonly<Record<number, string>>;
}

/** What a test may turn; the view follows. */
export class FakeDaemon {
  plan: ProbePlan;
  tracer: TracerState;
  cost: CostTotals;
  now = epoch;
  readonly config: Config;
  readonly ledger: Ledger;
  readonly metrics: MetricsText;
  readonly view: DaemonView;

  constructor(options: FakeDaemonOptions = {}) {
    this.plan = options.plan ?? planOf();
    this.tracer = options.tracer ?? observingTracer();
    this.cost = options.cost ?? noCost;
    this.config = loadConfig({ flags: options.flags ?? {} });
    this.ledger = new Ledger({
      waits: {
        slots: this.config.metrics.process_slots,
        rowLimit: Number.POSITIVE_INFINITY,
        label: (name) => name,
      },
    });
    const facts = { ...kernel, ...options.kernel };
    this.metrics = new MetricsText({
      ledger: this.ledger,
      plan: () => this.plan,
      cost: () => this.cost,
      now: () => this.now,
      kernelRelease: facts.release,
      version: '1.2.3',
      bpftrace: () => this.tracer.bpftrace?.version,
    });
    this.view = {
      config: this.config,
      version: '1.2.3',
      startedAt: epoch - 60_000,
      kernel: facts,
      ledger: this.ledger,
      plan: () => this.plan,
      tracer: () => this.tracer,
      readiness: () => this.#readiness(),
      cost: () => this.cost,
      metrics: () => this.metrics.current(),
      cgroup: (id) => options.cgroups?.[id],
      processName: (pid) => options.processNames?.[pid],
      now: () => this.now,
    };
  }

  /** Applies records as the daemon does; the clock never runs behind them. */
  apply(...records: readonly TracerRecord[]): this {
    for (const record of records) {
      this.now = Math.max(this.now, record.at);
      this.ledger.apply(record);
      if (record.kind === 'tick') this.metrics.invalidate();
    }
    return this;
  }

  /** The text of /metrics, rendered now. */
  async text(): Promise<string> {
    this.metrics.invalidate();
    return (await this.metrics.current()).text;
  }

  #readiness(): Readiness {
    return readinessOf({
      plan: this.plan,
      tracer: this.tracer,
      lastTickAt: this.ledger.tracer.lastTickAt,
      now: this.now,
      stallSeconds: this.config.bpftrace.stall_seconds,
    });
  }
}
