/** Looks at this host: what its kernel offers, and which fragments shall run. */
import path from 'node:path';
import type { Config } from '../config/schema.js';
import { type ErrorCode, errorCatalog, MmaplockError } from '../errors.js';
import { inInitialPidNamespace } from '../identity/pid-namespace.js';
import { type KernelProfile, readKernelProfile } from '../kernel/profile.js';
import { packageRoot } from '../package-root.js';
import { type AtStart, chooseAtStart, withReasonsAtStart } from '../probes/at-start.js';
import { type Catalog, readCatalog } from '../probes/catalog.js';
import { type Findings, learntNames, nothingFound } from '../probes/findings.js';
import { chooseForInspection, type Inspection } from '../probes/inspection.js';
import { settleLockPaths } from '../probes/lock-path/behaviour.js';
import { type LockPathEvidence, lockPathsOf } from '../probes/lock-path/evidence.js';
import { askedOfKernel, makePlan, type ProbePlan } from '../probes/plan.js';
import type { PlanOptions } from '../probes/refusals.js';
import { shedStepsFor } from '../probes/shed.js';
import type { ShedStep } from '../vocabulary.js';

/** A BTF of plain C types: see src/kernel/c-types.ts. */
export const cTypesFile = path.join(packageRoot, 'bpf/lib/c-types.btf');

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

/** What people are to know, and what they can do about it. */
export interface HostProblem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fix: string;
}

export interface HostSurvey {
  readonly catalog: Catalog;
  readonly kernel: KernelFacts;
  readonly plan: ProbePlan;
  readonly atStart: AtStart;
  readonly inspection: Inspection;
  /** How this kernel serves the proc files: those of which it can be told. */
  readonly lockPaths: readonly LockPathEvidence[];
  /** What of all this is less than it seems. */
  readonly problems: readonly HostProblem[];
  /** Addresses of functions that serve proc files, as the symbol table has them. */
  readonly addresses: ReadonlyMap<string, bigint>;
  /** What could be given up on this host to save cost, in this order; inspect mode apart. */
  readonly sheddable: readonly ShedStep[];
}

/** Fragments that an earlier version had: what disables one is a configuration that is still right. */
const retired: readonly string[] = ['vma-rows'];

/**
 * Reads catalog and kernel, and plans.
 * @param rejected fragments that bpftrace refused on this host, with what it said
 * @param findings what the daemon found out when it started
 * @param shed what is given up to keep to the cost budget
 * @throws MmaplockError `fragment_malformed` when there is no catalog, `invalid_config` for an unknown fragment
 */
export const surveyHost = async (
  { probes, incidents, metrics }: Pick<Config, 'probes' | 'incidents' | 'metrics'>,
  rejected: ReadonlyMap<string, string> = new Map(),
  findings: Findings = nothingFound,
  shed: readonly ShedStep[] = [],
): Promise<HostSurvey> => {
  const catalog = await readCatalog(probes.directory || path.join(packageRoot, 'bpf'));
  const known = new Set(catalog.fragments.map(({ name }) => name));
  for (const name of probes.disable)
    if (!known.has(name) && !retired.includes(name))
      throw new MmaplockError(
        'invalid_config',
        `probes.disable: there is no fragment "${name}"; there are: ${[...known].join(', ')}`,
        {
          field: 'probes.disable',
        },
      );
  const profile = await readKernelProfile(askedOfKernel(catalog));
  try {
    return surveyOf(catalog, profile, { probes, incidents, metrics, rejected, findings, shed });
  } finally {
    profile.btf?.release();
  }
};

interface Wanted extends Pick<Config, 'probes' | 'incidents' | 'metrics'> {
  readonly rejected: ReadonlyMap<string, string>;
  readonly findings: Findings;
  readonly shed: readonly ShedStep[];
}

const surveyOf = (
  catalog: Catalog,
  profile: KernelProfile,
  { probes, incidents, metrics, rejected, findings, shed }: Wanted,
): HostSurvey => {
  const lockPaths = settleLockPaths(lockPathsOf(profile, findings.addresses), findings.reads);
  const options: PlanOptions = {
    ...probes,
    watched_victims: metrics.watched_victims.length > 0 ? 'on' : 'off',
    rejected,
    shed,
    lockPaths,
    findings,
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
    problems: problemsOf(findings),
    addresses: addressesIn(profile),
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
 * The survey once the daemon has found out something. It is made anew only where that changes what programs are told:
 * reading the kernel again takes 0.2 s.
 */
export const settleSurvey = async (
  survey: HostSurvey,
  findings: Findings,
  config: Pick<Config, 'probes' | 'incidents' | 'metrics'>,
  rejected?: ReadonlyMap<string, string>,
  shed?: readonly ShedStep[],
): Promise<HostSurvey> => {
  const lockPaths = settleLockPaths(survey.lockPaths, findings.reads);
  const changes =
    lockPaths.some(({ by }) => by === 'behaviour') ||
    findings.registers === 'wrong' ||
    findings.processIds === 'namespaced' ||
    findings.miscounting.size > 0 ||
    [...findings.addresses].some(([name, address]) => survey.addresses.get(name) !== address);
  return changes
    ? surveyHost(config, rejected, findings, shed)
    : { ...survey, lockPaths, problems: problemsOf(findings) };
};

const problemsOf = ({ processIds, untried }: Findings): HostProblem[] => {
  const problem = (code: ErrorCode, message: string): HostProblem => ({
    code,
    message,
    fix: errorCatalog[code],
  });
  return [
    // Where bpftrace gives ids of that namespace, too, nothing runs, and the plan says so.
    ...(inInitialPidNamespace() || processIds === 'namespaced'
      ? []
      : [
          problem(
            'own_pid_namespace',
            'mmaplockd runs in a pid namespace of its own: the process ids it reports are those of the host, of whose processes it can look up none; readers of a file opened before the tracer started are not seen',
          ),
        ]),
    ...(untried === undefined
      ? []
      : [problem('start_check_failed', `the check at the start could not be made: ${untried}`)]),
  ];
};

/** Those that are told without doubt. */
const addressesIn = (profile: KernelProfile): Map<string, bigint> =>
  new Map(
    learntNames.flatMap((name): [string, bigint][] => {
      const { hidden = true, addresses = [] } = profile.symbol(name) ?? {};
      const [address] = addresses;
      return hidden || addresses.length !== 1 || address === undefined ? [] : [[name, address]];
    }),
  );

const factsOf = (profile: KernelProfile): KernelFacts => ({
  release: profile.release,
  machine: profile.machine,
  possibleCpus: profile.possibleCpus,
  lockdown: profile.lockdown,
  kprobes: profile.kprobes,
  functionTracing: profile.functionTracing.list,
  problems: profile.problems.map(({ code, message, fix }) => ({ code, message, fix })),
});
