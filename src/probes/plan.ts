/** Decides which fragments run on this host, and says of each of the others why not. */
import type { KernelProfile, TracepointName } from '../kernel/profile.js';
import { type Observable, observables } from '../vocabulary.js';
import type { Catalog } from './catalog.js';
import { evidenceSymbols } from './constants.js';
import { inDependencyOrder, sourcesOf } from './dependencies.js';
import { learntNames } from './findings.js';
import { isZeroByHand } from './fragment/constants.js';
import type { Fragment } from './fragment/fragment.js';
import { lockPathSymbols } from './lock-path/evidence.js';
import type { Choice } from './program.js';
import type { Reason } from './reasons.js';
import { examine, type PlanOptions } from './refusals.js';
import { withoutRegisters } from './refused-by-host.js';

export interface Refusal {
  readonly fragment: string;
  readonly reasons: readonly Reason[];
}

export interface Observation {
  readonly observed: boolean;
  /** The fragment it comes from; where that adds to an event, the source of the event. */
  readonly source?: string;
  readonly reason?: Reason;
}

export interface ProbePlan {
  /** In the order of the program. */
  readonly chosen: readonly Choice[];
  readonly refused: readonly Refusal[];
  readonly observables: Readonly<Record<Observable, Observation>>;
}

/** All symbols and tracepoints the profile must be asked for, so that the plan can decide. */
export const askedOfKernel = ({
  fragments,
}: Catalog): { symbols: Set<string>; tracepoints: Set<TracepointName> } => {
  const symbols = new Set<string>([...evidenceSymbols, ...lockPathSymbols, ...learntNames]);
  const tracepoints = new Set<TracepointName>();
  for (const { needs, constants, probes } of fragments) {
    for (const symbol of needs.symbols) symbols.add(symbol);
    for (const { symbol } of needs.absences) symbols.add(symbol);
    for (const { source } of constants) if (source.from === 'address') symbols.add(source.of);
    for (const { tracepoint } of needs.fields) tracepoints.add(tracepoint as TracepointName);
    for (const { kind, target, ifThere } of probes) {
      if (kind === 'tracepoint') tracepoints.add(target as TracepointName);
      else symbols.add(target);
      if (ifThere !== undefined) symbols.add(ifThere);
    }
  }
  return { symbols, tracepoints };
};

/** What was decided on a fragment. It runs where there are no reasons against it. */
interface Decision {
  readonly choice: Choice;
  /** Nothing on this host speaks against it; another may provide the same, though. */
  readonly operable: boolean;
  readonly reasons: readonly Reason[];
}

/** What was decided on all of them. */
interface Decisions {
  readonly byName: Map<string, Decision>;
  /** The fragment that provides an observable. */
  readonly providers: Map<Observable, string>;
  /** The source that tells of an event. */
  readonly tellers: Map<string, string>;
}

/**
 * The plan for this host: of fragments that provide or tell the same, the one of lowest rank. A fragment is decided
 * after those it needs.
 */
export const makePlan = (catalog: Catalog, profile: KernelProfile, options: PlanOptions): ProbePlan => {
  const malformed = malformedFragments(catalog);
  const { decisions, order } = decideAll(catalog.fragments, malformed, profile, options);
  const inOrder = order.flatMap(({ name }) => decisions.byName.get(name) ?? []);
  const refused = [
    ...inOrder
      .filter(({ reasons }) => reasons.length > 0)
      .map(({ choice, reasons }) => ({ fragment: choice.fragment.name, reasons })),
    ...malformed,
  ];
  const observe = (what: Observable): Observation => {
    const provider = decisions.providers.get(what);
    if (provider === undefined)
      return {
        observed: false,
        reason: whyNot(what, inOrder, malformed, withoutRegisters(profile, options.findings)),
      };
    // Where it adds to an event, it is the source of the event that tells one host from another; if it has several.
    const event = decisions.byName
      .get(provider)
      ?.choice.fragment.needs.events.find((one) => sourcesOf(one, catalog.fragments).length > 1);
    return { observed: true, source: decisions.tellers.get(event ?? '') ?? provider };
  };
  return {
    chosen: inOrder.filter(({ reasons }) => reasons.length === 0).map(({ choice }) => choice),
    refused,
    observables: Object.fromEntries(
      observables.map((what) => [what, observe(what)]),
    ) as ProbePlan['observables'],
  };
};

/**
 * Decides all, again where it shows that a source was passed over which another one needs: tracepoints tell of reads
 * only together with the marks that tracepoints make of opens.
 */
const decideAll = (
  fragments: readonly Fragment[],
  malformed: readonly Refusal[],
  profile: KernelProfile,
  options: PlanOptions,
): { decisions: Decisions; order: readonly Fragment[] } => {
  const preferred = new Set<string>();
  const rankOf = ({ name, rank }: Fragment): number =>
    preferred.has(name) ? Number.NEGATIVE_INFINITY : rank;
  for (;;) {
    const order = [...fragments].sort((a, b) =>
      rankOf(a) === rankOf(b) ? (a.name < b.name ? -1 : 1) : rankOf(a) - rankOf(b),
    );
    const decisions = decide(order, malformed, profile, options);
    const passedOver = order
      .filter(
        ({ tells, name }) =>
          tells !== undefined && isHeldUp(name, decisions) && !decisions.tellers.has(tells),
      )
      .flatMap(({ needs }) => needs.fragments)
      .filter((name) => decisions.byName.get(name)?.operable === true && !preferred.has(name));
    if (passedOver.length === 0) return { decisions: withoutNeedless(decisions), order };
    for (const name of passedOver) preferred.add(name);
  }
};

/** Whether a fragment lacks nothing but another one. */
const isHeldUp = (name: string, { byName }: Decisions): boolean =>
  byName.get(name)?.reasons.every(({ code }) => code === 'needs_fragment') ?? false;

const decide = (
  order: readonly Fragment[],
  malformed: readonly Refusal[],
  profile: KernelProfile,
  options: PlanOptions,
): Decisions => {
  const decisions: Decisions = { byName: new Map(), providers: new Map(), tellers: new Map() };
  const { byName, providers, tellers } = decisions;
  const against = (name: string): Reason | undefined => {
    const decision = byName.get(name);
    if (decision !== undefined) return decision.reasons[0];
    const broken = malformed.find(({ fragment }) => fragment === name);
    return broken?.reasons[0] ?? { code: 'no_fragment', detail: `there is no fragment ${name}` };
  };
  const againstEvent = (event: string): Reason | undefined => {
    if (tellers.has(event)) return undefined;
    const sources = sourcesOf(event, order);
    return (
      reasonToTell(sources, byName) ??
      against(sources[0]?.name ?? '') ?? {
        code: 'no_fragment',
        detail: `no fragment tells of ${event}`,
      }
    );
  };
  for (const each of inDependencyOrder(order)) {
    const { fragment, constants, reasons } = examine(each, profile, options, { against, againstEvent });
    const choice = { fragment, constants };
    const operable = reasons.length === 0;
    const needless = operable
      ? needlessness(choice, decisions, withoutRegisters(profile, options.findings))
      : undefined;
    byName.set(fragment.name, { choice, operable, reasons: needless === undefined ? reasons : [needless] });
    if (!operable || needless !== undefined) continue;
    for (const what of provided(choice)) if (!providers.has(what)) providers.set(what, fragment.name);
    if (fragment.tells !== undefined) tellers.set(fragment.tells, fragment.name);
  }
  return decisions;
};

/**
 * Why none of these sources of one event runs, in one reason: that one was tried and miscounts, or that the kernel is of
 * another kind; else what keeps out the one that asks least of a host, which is by tracepoints.
 */
const reasonToTell = (sources: readonly Fragment[], byName: Decisions['byName']): Reason | undefined => {
  const reasonsOf = ({ name }: Fragment): readonly Reason[] => byName.get(name)?.reasons ?? [];
  const all = sources.flatMap(reasonsOf);
  const saysMost = (['reads_unproven', 'preempt_rt'] as const).find((code) =>
    all.some((reason) => reason.code === code),
  );
  const byTracepoints = sources.find(({ probes }) => probes.every(({ kind }) => kind === 'tracepoint'));
  const [first] = byTracepoints === undefined ? [] : reasonsOf(byTracepoints);
  if (saysMost !== undefined) return all.find(({ code }) => code === saysMost);
  return first?.code === 'needs_fragment' ? undefined : first;
};

/** A source of which nobody makes anything would cost and show nothing. */
const withoutNeedless = (decisions: Decisions): Decisions => {
  const running = (): Fragment[] =>
    [...decisions.byName.values()]
      .filter(({ reasons }) => reasons.length === 0)
      .map(({ choice }) => choice.fragment);
  const isNeeded = ({ name, tells, provides }: Fragment): boolean =>
    tells === undefined ||
    provides.length > 0 ||
    running().some(({ needs }) => needs.events.includes(tells) || needs.fragments.includes(name));
  for (const fragment of running().reverse()) {
    const decision = decisions.byName.get(fragment.name);
    if (decision === undefined || isNeeded(fragment)) continue;
    const reason: Reason = {
      code: 'nothing_needs_it',
      detail: `nothing that runs makes use of ${fragment.tells}`,
    };
    decisions.byName.set(fragment.name, { ...decision, reasons: [reason] });
  }
  return decisions;
};

/** Whether a fragment that runs looks at what the daemon itself does: it is told who had a proc file open before. */
export const wantsMarks = ({ chosen }: Pick<ProbePlan, 'chosen'>): boolean =>
  chosen.some(({ fragment }) => fragment.constants.some(isZeroByHand));

const malformedFragments = ({ problems }: Catalog): Refusal[] =>
  problems.map(({ field, message }) => ({
    fragment: (field ?? '?').replace(/\.bt$/, ''),
    reasons: [{ code: 'fragment_malformed', detail: message }],
  }));

const provided = ({ fragment, constants }: Choice): Observable[] =>
  fragment.provides
    .filter(({ when }) => when === undefined || constants.get(when) !== 0)
    .map(({ what }) => what);

/** Why a fragment that can run adds nothing, if so. One that provides nothing runs for those that need it. */
const needlessness = (
  choice: Choice,
  { providers, tellers }: Decisions,
  unknown: Reason,
): Reason | undefined => {
  const { provides, tells } = choice.fragment;
  const teller = tells === undefined ? undefined : tellers.get(tells);
  if (teller !== undefined)
    return { code: 'covered_by_other', detail: `${teller} tells of ${tells} at less cost` };
  const what = provided(choice);
  if (provides.length === 0 || what.some((one) => !providers.has(one))) return undefined;
  const by = [...new Set(what.map((one) => providers.get(one)))].join(', ');
  const moot = provides.map(({ what: one }) => mootness(choice, one)).find((reason) => reason !== undefined);
  return by === '' ? (moot ?? unknown) : { code: 'covered_by_other', detail: `${by} provides the same` };
};

/** That this kernel has nothing of the kind, if the fragment tells so. */
const mootness = ({ fragment, constants }: Choice, what: Observable): Reason | undefined => {
  const provision = fragment.provides.find((one) => one.what === what);
  return provision?.moot !== undefined && constants.get(provision.when ?? '') === 0
    ? { code: 'nothing_to_observe', detail: provision.moot }
    : undefined;
};

/** Why nothing shows this: what speaks against the first fragment that could. */
const whyNot = (
  what: Observable,
  decisions: readonly Decision[],
  malformed: readonly Refusal[],
  unknown: Reason,
): Reason => {
  const providers = decisions.filter(({ choice }) => provides(choice.fragment, what));
  const moot = providers.map(({ choice }) => mootness(choice, what)).find((reason) => reason !== undefined);
  if (moot !== undefined) return moot;
  if (providers.some(({ operable }) => operable)) return unknown;
  return (
    providers[0]?.reasons[0] ??
    malformed[0]?.reasons[0] ?? { code: 'no_fragment', detail: 'no fragment of this version provides it' }
  );
};

const provides = (fragment: Fragment, what: Observable): boolean =>
  fragment.provides.some((item) => item.what === what);
