/** Looks at this host: what its kernel offers, and which fragments shall run. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from './config/schema.js';
import { MmaplockError } from './errors.js';
import { type KernelProfile, readKernelProfile } from './kernel/profile.js';
import { type AtStart, chooseAtStart, withReasonsAtStart } from './probes/at-start.js';
import { type Catalog, readCatalog } from './probes/catalog.js';
import { chooseForInspection, type Inspection } from './probes/inspection.js';
import { type OwnReads, settleLockPaths } from './probes/lock-path-behaviour.js';
import { type LockPathEvidence, lockPathsOf } from './probes/lock-paths.js';
import { askedOfKernel, makePlan, type PlanOptions, type ProbePlan } from './probes/plan.js';
import { shedStepsFor } from './probes/shed.js';
import type { ShedStep } from './vocabulary.js';

const here = path.dirname(fileURLToPath(import.meta.url));

/** The folder with bpf/ in it: beside the one file of an installed package, else two levels up from dist/src/host.js */
export const packageRoot = existsSync(path.join(here, 'bpf')) ? here : path.resolve(here, '../..');

/** A BTF of plain C types: see src/kernel/c-types.ts. */
export const cTypesFile = path.join(packageRoot, 'bpf', 'c-types.btf');

/** The kernel of this host, as far as people ask for it. */
export interface KernelFacts {
  readonly release: string;
  readonly machine: string;
  readonly possibleCpus: number;
  readonly lockdown: string;
  readonly kprobes: boolean;
  readonly functionTracing: string;
  readonly problems: readonly { readonly code: string; readonly message: string; readonly fix: string }[];
}

export interface HostSurvey {
  readonly catalog: Catalog;
  readonly kernel: KernelFacts;
  readonly plan: ProbePlan;
  readonly atStart: AtStart;
  readonly inspection: Inspection;
  /** How this kernel serves the proc files: those of which it can be told. */
  readonly lockPaths: readonly LockPathEvidence[];
  /** What could be given up on this host to save cost, in this order; inspect mode apart. */
  readonly sheddable: readonly ShedStep[];
}

/**
 * Reads catalog and kernel, and plans.
 * @param rejected fragments that bpftrace refused on this host, with what it said
 * @param seen what the daemon saw when it read its own proc files, if it has
 * @param shed what is given up to keep to the cost budget
 * @throws MmaplockError `fragment_malformed` when there is no catalog, `invalid_config` for an unknown fragment
 */
export const surveyHost = async (
  { probes, incidents, metrics }: Pick<Config, 'probes' | 'incidents' | 'metrics'>,
  rejected: ReadonlyMap<string, string> = new Map(),
  seen: readonly OwnReads[] = [],
  shed: readonly ShedStep[] = [],
): Promise<HostSurvey> => {
  const catalog = await readCatalog(probes.directory || path.join(packageRoot, 'bpf'));
  const known = new Set(catalog.fragments.map(({ name }) => name));
  for (const name of probes.disable)
    if (!known.has(name))
      throw new MmaplockError(
        'invalid_config',
        `probes.disable: there is no fragment "${name}"; there are: ${[...known].join(', ')}`,
        {
          field: 'probes.disable',
        },
      );
  const profile = await readKernelProfile(askedOfKernel(catalog));
  const lockPaths = settleLockPaths(lockPathsOf(profile), seen);
  const options: PlanOptions = {
    ...probes,
    watched_victims: metrics.watched_victims.length > 0 ? 'on' : 'off',
    rejected,
    shed,
    lockPaths,
    numbers: thresholdsOf(incidents),
  };
  const plan = makePlan(catalog, profile, options);
  const whole = shed.length === 0 ? plan : makePlan(catalog, profile, { ...options, shed: [] });
  const atStart = chooseAtStart(catalog, profile, options);
  return {
    catalog,
    kernel: factsOf(profile),
    plan: { ...plan, refused: withReasonsAtStart(plan.refused, atStart) },
    atStart,
    inspection: chooseForInspection(catalog, profile, options),
    lockPaths,
    sheddable: shedStepsFor(
      whole.chosen.map(({ fragment }) => fragment),
      options,
    ),
  };
};

/** When the tracer tells of a stall. */
const thresholdsOf = ({ wait_ms, share_percent, window_seconds }: Config['incidents']) => ({
  stall_nanoseconds: Math.round(wait_ms * 1e6),
  share_nanoseconds: Math.round((window_seconds * 1e9 * share_percent) / 100),
  window_nanoseconds: Math.round(window_seconds * 1e9),
});

/**
 * The survey once the daemon has read its own proc files. It is made anew only where that changes what programs are
 * told: reading the kernel again takes 0.2 s.
 */
export const settleSurvey = async (
  survey: HostSurvey,
  seen: readonly OwnReads[],
  config: Pick<Config, 'probes' | 'incidents' | 'metrics'>,
  rejected?: ReadonlyMap<string, string>,
  shed?: readonly ShedStep[],
): Promise<HostSurvey> => {
  const lockPaths = settleLockPaths(survey.lockPaths, seen);
  return lockPaths.some(({ by }) => by === 'behaviour')
    ? surveyHost(config, rejected, seen, shed)
    : { ...survey, lockPaths };
};

const factsOf = (profile: KernelProfile): KernelFacts => ({
  release: profile.release,
  machine: profile.machine,
  possibleCpus: profile.possibleCpus,
  lockdown: profile.lockdown,
  kprobes: profile.kprobes,
  functionTracing: profile.functionTracing.list,
  problems: profile.problems.map(({ code, message, fix }) => ({ code, message, fix })),
});
