/** Why a fragment cannot or may not run on this host. */
import { noProbes } from '../config/schema.js';
import type { KernelProfile, TracepointName } from '../kernel/profile.js';
import type { ShedStep } from '../vocabulary.js';
import { type ConstantValue, resolveConstant } from './constants.js';
import type { Findings } from './findings.js';
import type { OptionName } from './fragment/constants.js';
import type { Fragment } from './fragment/fragment.js';
import type { ProbeSwitch, ReleaseNeed } from './fragment/header.js';
import type { ProbeKind, ProbePoint } from './fragment/probes.js';
import { withoutProbes } from './fragment/probes.js';
import type { ServedFile } from './lock-path/evidence.js';
import type { Reason, ReasonCode } from './reasons.js';
import { refusedAsBlind, refusedByHost, tracefsRefusal } from './refused-by-host.js';
import { shedReason } from './shed.js';

/** What the operator, and bpftrace on this host, let run. */
export interface PlanOptions extends Readonly<Record<ProbeSwitch, string>> {
  /** Probe kinds the operator allows; `none` among them forbids all. */
  readonly allow: readonly (ProbeKind | typeof noProbes)[];
  /** Fragments the operator switched off. */
  readonly disable: readonly string[];
  /** What is traced of readers. */
  readonly reads: 'exact' | 'opens' | 'off';
  readonly retries: 'on' | 'off';
  readonly vma_waits: 'on' | 'off';
  /** On where victims are named that somebody is paged for. */
  readonly watched_victims: 'on' | 'off';
  /** Fragments that bpftrace refused on this host, with what it said. */
  readonly rejected: ReadonlyMap<string, string>;
  /** What is given up to keep to the cost budget. */
  readonly shed?: readonly ShedStep[] | undefined;
  /** How this kernel serves the proc files, where more is known than its BTF and symbols show. */
  readonly lockPaths?: readonly ServedFile[] | undefined;
  /** What the daemon found out when it started. */
  readonly findings?: Findings | undefined;
  /** Numbers that the operator decides, for fragments; where left out, those of the files stand. */
  readonly numbers?: Partial<Readonly<Record<OptionName, number>>>;
}

/** Reasons against a fragment that are also those of what needs it. */
const passedOn: ReadonlySet<string> = new Set<ReasonCode>(['shed_for_cost', 'preempt_rt']);

/** What is decided already: why a fragment does not run, or no source of an event; undefined where one does. */
export interface Decided {
  readonly against: (fragment: string) => Reason | undefined;
  readonly againstEvent: (event: string) => Reason | undefined;
}

/**
 * A fragment as it would run on this host, its constants, and all that speaks against it; it may run where nothing
 * does.
 */
export const examine = (
  fragment: Fragment,
  profile: KernelProfile,
  options: PlanOptions,
  { against, againstEvent }: Decided,
): {
  fragment: Fragment;
  constants: ReadonlyMap<string, ConstantValue>;
  reasons: readonly Reason[];
} => {
  const constants = new Map<string, ConstantValue>();
  const ruledOut =
    refusedByPeople(fragment, options) ??
    refusedByHost(profile, options.findings) ??
    refusedAsBlind(fragment, profile, options.findings);
  if (ruledOut !== undefined) return { fragment, constants, reasons: [ruledOut] };

  const reasons: Reason[] = [];
  for (const name of fragment.needs.fragments) {
    const why = against(name);
    if (why !== undefined)
      reasons.push({
        // What follows from the budget, or from the kind of kernel, is told as such.
        code: passedOn.has(why.code) ? why.code : 'needs_fragment',
        detail: `it needs ${name}, which does not run: ${why.detail}`,
      });
  }
  for (const event of fragment.needs.events) {
    const why = againstEvent(event);
    if (why !== undefined)
      reasons.push({ code: why.code, detail: `nothing tells of ${event} here: ${why.detail}` });
  }
  const absent = fragment.probes.filter(({ kind, ifThere }) => {
    if (ifThere === undefined) return false;
    return kind === 'tracepoint'
      ? !profile.hasSymbol(ifThere)
      : lacksFunction({ kind, target: ifThere }, profile) !== undefined;
  });
  for (const probe of fragment.probes)
    if (!absent.includes(probe)) reasons.push(...probeRefusal(probe, profile, options));
  for (const { tracepoint, field, why } of fragment.needs.fields)
    reasons.push(...tracepointRefusal(tracepoint, [field], profile, why));
  for (const need of fragment.needs.releases)
    if (isTooOld(profile.upstream, need))
      reasons.push({ code: 'kernel_too_old', detail: `${need.why}: it needs ${releasesOf(need)} or later` });
  for (const symbol of fragment.needs.symbols)
    if (!profile.hasSymbol(symbol))
      reasons.push({ code: 'kernel_lacks_symbol', detail: `this kernel has no symbol ${symbol}` });
  for (const { symbol, why } of fragment.needs.absences)
    if (profile.hasSymbol(symbol)) reasons.push({ code: 'too_dear', detail: why });
    else if (hidesSymbols(profile))
      reasons.push({ code: 'too_dear', detail: `${why}; whether it does cannot be told here` });
  for (const constant of fragment.constants) {
    const value = resolveConstant(constant, profile, options);
    if (typeof value === 'object') reasons.push(value);
    else constants.set(constant.name, value);
  }
  return {
    fragment: withoutProbes(fragment, absent),
    constants,
    reasons: [...new Map(reasons.map((reason) => [reason.detail, reason])).values()],
  };
};

/** Whether a kernel is neither as new as the last release, nor as one of the others within its own series. */
const isTooOld = (kernel: readonly [number, number, number], { releases }: ReleaseNeed): boolean => {
  const order = ([a, b, c]: readonly [number, number, number]): number => (a * 1000 + b) * 100_000 + c;
  const last = releases.at(-1);
  return (
    last !== undefined &&
    order(kernel) < order(last) &&
    !releases.some(([a, b, c]) => kernel[0] === a && kernel[1] === b && kernel[2] >= c)
  );
};

const releasesOf = ({ releases }: ReleaseNeed): string =>
  releases.map(([a, b, c]) => (c === 0 ? `${a}.${b}` : `${a}.${b}.${c}`)).join(' or ');

/** Whether a symbol that was not found may be there all the same. */
const hidesSymbols = ({ problems }: KernelProfile): boolean =>
  problems.some(({ code }) => code === 'kallsyms_unreadable');

/** What rules a fragment out whatever the kernel has. */
const refusedByPeople = (fragment: Fragment, options: PlanOptions): Reason | undefined => {
  if (options.allow.includes(noProbes))
    return {
      code: 'switched_off',
      detail: `--probes.allow ${noProbes} (probes.allow) leaves out all probes`,
    };
  if (options.disable.includes(fragment.name))
    return { code: 'disabled_by_config', detail: 'probes.disable names it' };
  for (const { key, positions } of fragment.runsWhen)
    if (!positions.includes(options[key]))
      return {
        code: 'switched_off',
        detail:
          key === 'watched_victims'
            ? 'metrics.watched_victims names nobody'
            : `--${key.replaceAll('_', '-')} ${options[key]} (probes.${key}) leaves it out`,
      };
  const rejected = options.rejected.get(fragment.name);
  if (rejected !== undefined) return { code: 'rejected_by_bpftrace', detail: rejected };
  if (fragment.mode === 'inspect')
    return { code: 'inspect_only', detail: 'runs only while inspect mode is on' };
  if (fragment.mode === 'start')
    return { code: 'start_only', detail: 'runs once, when the daemon starts, and alone' };
  return shedReason(fragment, options, options.shed ?? []);
};

const probeRefusal = (
  { kind, target, fields }: ProbePoint,
  profile: KernelProfile,
  { allow }: PlanOptions,
): Reason[] => {
  if (!allow.includes(kind)) return [{ code: 'kind_not_allowed', detail: `probes.allow leaves out ${kind}` }];
  if (kind === 'tracepoint') return tracepointRefusal(target, fields, profile);
  // What there is of functions is listed in tracefs, too.
  const isUnknown = kind === 'kprobe' ? !profile.kprobes : profile.functionTracing.list !== 'readable';
  const unreadable = tracefsRefusal(profile);
  if (isUnknown && unreadable !== undefined) return [unreadable];
  if (kind === 'kprobe' && !profile.kprobes)
    return [
      {
        code: 'kernel_lacks_kprobes',
        detail: 'this kernel has no kprobes (CONFIG_KPROBES, or lockdown)',
      },
    ];
  if (kind === 'fentry' && profile.functionTracing.list !== 'readable')
    return [
      {
        code: 'kernel_lacks_function_tracing',
        detail: 'this kernel does not let functions be traced (fentry)',
      },
    ];
  return lacksFunction({ kind, target }, profile) ?? [];
};

/** Why a function cannot be probed on its own account, whatever this kernel lets be traced. */
const lacksFunction = (
  { kind, target }: Pick<ProbePoint, 'kind' | 'target'>,
  profile: KernelProfile,
): Reason[] | undefined => {
  if (!profile.hasSymbol(target))
    return [{ code: 'kernel_lacks_symbol', detail: `this kernel has no function ${target}` }];
  if (profile.symbolCount(target) > 1)
    return [{ code: 'function_not_traceable', detail: `this kernel has several functions named ${target}` }];
  if (kind === 'fentry' && !profile.hasFunction(target))
    return [{ code: 'function_not_traceable', detail: `this kernel's BTF has no function ${target}` }];
  return undefined;
};

/** @param why what to say where a field is missing, in place of its name */
const tracepointRefusal = (
  target: string,
  fields: readonly string[],
  profile: KernelProfile,
  why?: string,
): Reason[] => {
  const unreadable = tracefsRefusal(profile);
  if (unreadable !== undefined) return [unreadable];
  const tracepoint = profile.tracepoint(target as TracepointName);
  if (tracepoint === undefined)
    return [{ code: 'kernel_lacks_tracepoint', detail: `this kernel has no tracepoint ${target}` }];
  const missing = fields.filter((field) => !tracepoint.fields.some(({ name }) => name === field));
  if (missing.length === 0) return [];
  return [
    {
      code: 'kernel_lacks_field',
      detail: why ?? `tracepoint ${target} has no field ${missing.join(', ')}`,
    },
  ];
};
