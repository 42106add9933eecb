/** A daemon without tracer and host: put together as the real one is, with a plan and a tracer state made by hand. */

import type { HubOptions, StreamHub } from '../../src/api/stream/hub.js';
import type { DaemonView } from '../../src/api/view.js';
import type { TracerState } from '../../src/bpftrace/process/tracer.js';
import type { Clock } from '../../src/clock.js';
import { loadConfig } from '../../src/config/load.js';
import type { Config } from '../../src/config/schema.js';
import type { ProbeCost } from '../../src/cost/account.js';
import { compose, type KnownHost } from '../../src/daemon/compose.js';
import { MmaplockError } from '../../src/errors.js';
import type { CgroupIdentity } from '../../src/identity/cgroup-path.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import type { MetricsText } from '../../src/metrics/exposition.js';
import type { CostTotals } from '../../src/metrics/tracer.js';
import { parseFragment } from '../../src/probes/fragment/fragment.js';
import type { LockPathEvidence } from '../../src/probes/lock-path/evidence.js';
import type { Observation, ProbePlan } from '../../src/probes/plan.js';
import type { Choice } from '../../src/probes/program.js';
import { watchedFragment } from '../../src/probes/watched.js';
import type { TracerRecord } from '../../src/records.js';
import type { IncidentLosses } from '../../src/store/incident-store.js';
import type { KernelFacts } from '../../src/survey/survey.js';
import { type Observable, observables, type ShedStep } from '../../src/vocabulary.js';
import type { FoundCause } from '../../src/watch/cost-budget.js';
import type { Problem } from '../../src/watch/readiness.js';
import { HandClock } from '../bpftrace/hand-clock.js';

/** A fixed time, milliseconds since the epoch: 2025-06-01T12:00:00Z. */
export const epoch = Date.UTC(2025, 5, 1, 12);

interface Provider {
  readonly name: string;
  readonly summary: string;
  readonly provides: readonly Observable[];
  /** As a fragment spells it: `kprobe:NAME`. */
  readonly probe: string;
}

/** Like the fragments of bpf/. */
const providers: readonly Provider[] = [
  {
    name: 'waits',
    summary: 'Who waits.',
    provides: ['waits', 'operations', 'blocks'],
    probe: 'tracepoint:lock:contention_begin',
  },
  {
    name: 'proc-opens',
    summary: 'Who opens.',
    provides: ['opens'],
    probe: 'tracepoint:syscalls:sys_exit_openat',
  },
  {
    name: 'proc-reads',
    summary: 'Who reads.',
    provides: ['reads'],
    probe: 'tracepoint:syscalls:sys_exit_read',
  },
  {
    name: 'retries',
    summary: 'Who retries.',
    provides: ['retries'],
    probe: 'tracepoint:mmap_lock:mmap_lock_start_locking',
  },
  { name: 'fallbacks', summary: 'Who gives up.', provides: ['fallbacks'], probe: 'kprobe:m_stop' },
  {
    name: 'vma-waits',
    summary: 'Which writers sleep.',
    provides: ['vma_waits'],
    probe: 'kprobe:__vma_start_write',
  },
  {
    name: 'convoys',
    summary: 'What queues behind them.',
    provides: ['convoys', 'blocked_time', 'stalls'],
    probe: 'tracepoint:lock:contention_end',
  },
];
const queries: Provider = {
  name: 'procmap-query',
  summary: 'Who asks.',
  provides: [],
  probe: 'tracepoint:syscalls:sys_exit_ioctl',
};

const byVictim: Provider = {
  name: watchedFragment,
  summary: 'Who was blocked.',
  provides: [],
  probe: 'tracepoint:lock:contention_end',
};

/** A fragment that is run, with one probe. */
export const choiceOf = ({ name, summary, provides, probe }: Provider): Choice => {
  const text = `// ${name}.bt  ${summary}
//@ mode watch
${provides.map((what) => `//@ provides ${what}\n`).join('')}//@ cost hardly any
${probe}
{
  @seen = 1;
}
`;
  return { fragment: parseFragment(name, text), constants: new Map() };
};

/** All that a fragment provides. */
const everything = providers.flatMap(({ provides }) => provides);

/**
 * A plan that observes what is named, each by the fragment that provides it; PROCMAP_QUERY goes with the reads, and
 * blocked time by name with that of all.
 */
export const planOf = (
  observed: readonly Observable[] = everything,
  more: Partial<ProbePlan> = {},
): ProbePlan => {
  const used = providers
    .map((provider) => ({
      ...provider,
      provides: provider.provides.filter((what) => observed.includes(what)),
    }))
    .filter(({ provides }) => provides.length > 0);
  return {
    chosen: [
      ...used,
      ...(observed.includes('reads') ? [queries] : []),
      ...(observed.includes('blocked_time') ? [byVictim] : []),
    ].map(choiceOf),
    refused: [],
    observables: Object.fromEntries(
      observables.map((what): [Observable, Observation] => {
        const source = used.find(({ provides }) => provides.includes(what))?.name;
        if (source !== undefined) return [what, { observed: true, source }];
        const reason = { code: 'no_fragment', detail: 'no fragment of this version provides it' } as const;
        return [what, { observed: false, reason }];
      }),
    ) as ProbePlan['observables'],
    ...more,
  };
};

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

/** Of a kernel that serves these two files, and locks VMAs for one of them. */
const lockPaths: readonly LockPathEvidence[] = [
  { file: 'maps', path: 'per_vma_lock', by: 'both', evidence: 'lock_next_vma is there.' },
  { file: 'smaps', path: 'mmap_lock', by: 'evidence', evidence: 'smap_gather_stats takes no reader.' },
];

const noCost: CostTotals = {
  cpuSeconds: 0,
  residentBytes: undefined,
  mapBytes: undefined,
  misses: new Map(),
  probeRunSeconds: undefined,
  probeCostRatio: undefined,
};

export interface FakeDaemonOptions {
  readonly inspector?: DaemonView['inspector'];
  readonly plan?: ProbePlan;
  readonly lockPaths?: readonly LockPathEvidence[];
  readonly tracer?: TracerState;
  readonly cost?: CostTotals;
  readonly kernel?: Partial<KernelFacts>;
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly cgroups?: Readonly<Record<string, CgroupIdentity>>;
  readonly processNames?: Readonly<Record<number, string>>;
  readonly stream?: Partial<HubOptions>;
}

/** What a test may turn; the view follows. */
export class FakeDaemon {
  plan: ProbePlan;
  tracer: TracerState;
  cost: CostTotals;
  shed: readonly ShedStep[] = [];
  unmeasured: Problem | undefined;
  cause: FoundCause | undefined;
  probes: readonly ProbeCost[] = [];
  incidentLosses: IncidentLosses = { notWritten: 0, lost: 0 };
  now = epoch;
  /** Milliseconds by which somebody has set the time of day forward since the start. */
  set = 0;
  readonly config: Config;
  readonly ledger: Ledger;
  readonly metrics: MetricsText;
  /** Of the heartbeat of the stream alone. */
  readonly clock = new HandClock();
  readonly stream: StreamHub;
  readonly view: DaemonView;

  constructor(options: FakeDaemonOptions = {}) {
    this.plan = options.plan ?? planOf();
    this.tracer = options.tracer ?? observingTracer();
    this.cost = options.cost ?? noCost;
    this.config = loadConfig({ flags: options.flags ?? {} });
    const host: KnownHost = {
      kernel: { ...kernel, ...options.kernel },
      plan: this.plan,
      lockPaths: options.lockPaths ?? lockPaths,
      problems: [],
    };
    const { ledger, metrics, stream, view } = compose({
      config: this.config,
      clock: this.#clock,
      version: '1.2.3',
      startedAt: epoch - 60_000,
      host: () => ({ ...host, plan: this.plan }),
      maps: [],
      tracer: () => this.tracer,
      cost: () => this.cost,
      budget: () => ({
        percent: this.config.cost.budget_percent,
        shed: this.shed,
        ratio: this.cost.probeCostRatio,
        exceeded: false,
        cause: this.cause,
        unmeasured: this.unmeasured,
        probes: this.probes,
      }),
      inspector: options.inspector ?? {
        running: false,
        seconds: 0,
        inspect: () => Promise.reject(new MmaplockError('inspect_unavailable', 'none here')),
      },
      incidentLosses: () => this.incidentLosses,
      cgroup: (id) => options.cgroups?.[id],
      processName: (pid) => options.processNames?.[pid],
      stream: { clock: this.clock, startedAt: epoch, ...options.stream },
    });
    this.ledger = ledger;
    this.metrics = metrics;
    this.stream = stream;
    this.view = view;
  }

  /** Stands still unless a test moves it. */
  readonly #clock: Clock = {
    now: () => this.now,
    monotonic: () => this.now - epoch,
    timeOfDay: (at) => at + this.set,
    atTimeOfDay: (time) => time - this.set,
    after: () => () => {},
  };

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
}
