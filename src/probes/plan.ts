/** Decides which fragments run on this host, and says of each of the others why not. */
import type { KernelProfile, TracepointName } from '../kernel/profile.js';
import { type Observable, observables } from '../vocabulary.js';
import type { Catalog } from './catalog.js';
import { evidenceSymbols, resolveConstant } from './constants.js';
import type { Fragment, ProbeKind, ProbePoint } from './fragment.js';
import type { Choice } from './program.js';
import type { Reason } from './reasons.js';

export interface PlanOptions {
  /** Probe kinds the operator allows. */
  readonly allow: readonly ProbeKind[];
  /** Fragments the operator switched off. */
  readonly disable: readonly string[];
  /** Fragments that bpftrace refused on this host, with what it said. */
  readonly rejected: ReadonlyMap<string, string>;
}

export interface Refusal {
  readonly fragment: string;
  readonly reasons: readonly Reason[];
}

export interface Observation {
  readonly observed: boolean;
  /** The fragment it comes from. */
  readonly source?: string;
  readonly reason?: Reason;
}

export interface ProbePlan {
  readonly chosen: readonly Choice[];
  readonly refused: readonly Refusal[];
  readonly observables: Readonly<Record<Observable, Observation>>;
}

/** All symbols and tracepoints the profile must be asked for, so that the plan can decide. */
export const askedOfKernel = ({
  fragments,
}: Catalog): { symbols: Set<string>; tracepoints: Set<TracepointName> } => {
  const symbols = new Set<string>(evidenceSymbols);
  const tracepoints = new Set<TracepointName>();
  for (const fragment of fragments) {
    for (const symbol of fragment.symbols) symbols.add(symbol);
    for (const { kind, target } of fragment.probes)
      if (kind === 'tracepoint') tracepoints.add(target as TracepointName);
      else symbols.add(target);
  }
  return { symbols, tracepoints };
};

/** The plan for this host: of fragments that provide the same, the one of lowest rank. */
export const makePlan = (catalog: Catalog, profile: KernelProfile, options: PlanOptions): ProbePlan => {
  const chosen: Choice[] = [];
  const refused: Refusal[] = [];
  const sources = new Map<Observable, string>();
  const operable: Choice[] = [];

  for (const fragment of [...catalog.fragments].sort(
    (a, b) => a.rank - b.rank || (a.name < b.name ? -1 : 1),
  )) {
    const constants = new Map<string, number>();
    const reasons = refusals(fragment, profile, options, constants);
    if (reasons.length > 0) {
      refused.push({ fragment: fragment.name, reasons });
      continue;
    }
    const choice = { fragment, constants };
    operable.push(choice);
    const fresh = provided(choice).filter((what) => !sources.has(what));
    if (fresh.length === 0 && fragment.provides.length > 0) {
      const by = [...new Set(provided(choice).map((what) => sources.get(what)))].join(', ');
      const reason: Reason =
        by === ''
          ? { code: 'not_on_this_machine', detail: `what it provides cannot be had on ${profile.machine}` }
          : { code: 'covered_by_other', detail: `${by} provides the same` };
      refused.push({ fragment: fragment.name, reasons: [reason] });
      continue;
    }
    for (const what of fresh) sources.set(what, fragment.name);
    chosen.push(choice);
  }
  for (const problem of catalog.problems)
    refused.push({
      fragment: (problem.field ?? '?').replace(/\.bt$/, ''),
      reasons: [{ code: 'fragment_malformed', detail: problem.message }],
    });

  const observe = (what: Observable): Observation => {
    const source = sources.get(what);
    if (source !== undefined) return { observed: true, source };
    return { observed: false, reason: whyNot(what, catalog, operable, refused, profile) };
  };
  return {
    chosen,
    refused,
    observables: Object.fromEntries(
      observables.map((what) => [what, observe(what)]),
    ) as ProbePlan['observables'],
  };
};

const provided = ({ fragment, constants }: Choice): Observable[] =>
  fragment.provides
    .filter(({ when }) => when === undefined || constants.get(when) !== 0)
    .map(({ what }) => what);

/** Why this fragment cannot or may not run; fills `constants` as it goes. */
const refusals = (
  fragment: Fragment,
  profile: KernelProfile,
  options: PlanOptions,
  constants: Map<string, number>,
): Reason[] => {
  if (options.disable.includes(fragment.name))
    return [{ code: 'disabled_by_config', detail: 'probes.disable names it' }];
  const rejected = options.rejected.get(fragment.name);
  if (rejected !== undefined) return [{ code: 'rejected_by_bpftrace', detail: rejected }];
  if (fragment.mode === 'inspect')
    return [{ code: 'inspect_only', detail: 'runs only while inspect mode is on' }];

  const reasons = fragment.probes.map((probe) => probeRefusal(probe, profile, options));
  for (const symbol of fragment.symbols)
    if (!profile.hasSymbol(symbol))
      reasons.push({ code: 'kernel_lacks_symbol', detail: `this kernel has no symbol ${symbol}` });
  for (const constant of fragment.constants) {
    const value = resolveConstant(constant, profile);
    if (typeof value === 'number') constants.set(constant.name, value);
    else reasons.push(value);
  }
  const distinct = new Map(
    reasons.filter((reason) => reason !== undefined).map((reason) => [reason.detail, reason]),
  );
  return [...distinct.values()];
};

const probeRefusal = (
  { kind, target, fields }: ProbePoint,
  profile: KernelProfile,
  { allow }: PlanOptions,
): Reason | undefined => {
  if (!allow.includes(kind)) return { code: 'kind_not_allowed', detail: `probes.allow leaves out ${kind}` };
  if (kind === 'tracepoint') {
    if (profile.problems.some(({ code }) => code === 'tracefs_missing'))
      return {
        code: 'tracefs_missing',
        detail: 'tracefs is not mounted: mount -t tracefs nodev /sys/kernel/tracing',
      };
    const tracepoint = profile.tracepoint(target as TracepointName);
    if (tracepoint === undefined)
      return { code: 'kernel_lacks_tracepoint', detail: `this kernel has no tracepoint ${target}` };
    const missing = fields.filter((field) => !tracepoint.fields.some(({ name }) => name === field));
    return missing.length === 0
      ? undefined
      : { code: 'kernel_lacks_field', detail: `tracepoint ${target} has no field ${missing.join(', ')}` };
  }
  if (kind === 'kprobe' && !profile.kprobes)
    return {
      code: 'kernel_lacks_kprobes',
      detail: 'this kernel has no kprobes (CONFIG_KPROBES, or lockdown)',
    };
  if (kind === 'fentry' && profile.functionTracing.list !== 'readable')
    return {
      code: 'kernel_lacks_function_tracing',
      detail: 'this kernel does not let functions be traced (fentry)',
    };
  if (!profile.hasSymbol(target))
    return { code: 'kernel_lacks_symbol', detail: `this kernel has no function ${target}` };
  if (profile.symbolCount(target) > 1)
    return { code: 'function_not_traceable', detail: `this kernel has several functions named ${target}` };
  if (kind === 'fentry' && !profile.hasFunction(target))
    return { code: 'function_not_traceable', detail: `this kernel's BTF has no function ${target}` };
  return undefined;
};

const whyNot = (
  what: Observable,
  catalog: Catalog,
  operable: readonly Choice[],
  refused: readonly Refusal[],
  profile: KernelProfile,
): Reason => {
  const providers = catalog.fragments.filter(({ provides }) => provides.some((item) => item.what === what));
  const none: Reason = { code: 'no_fragment', detail: 'no fragment of this version provides it' };
  const [problem] = catalog.problems;
  if (providers.length === 0)
    return problem === undefined ? none : { code: 'fragment_malformed', detail: problem.message };
  if (providers.some((provider) => operable.some(({ fragment }) => fragment === provider)))
    return { code: 'not_on_this_machine', detail: `this version cannot tell it on ${profile.machine}` };
  const refusal = refused.find(({ fragment }) => providers.some(({ name }) => name === fragment));
  return refusal?.reasons[0] ?? none;
};
