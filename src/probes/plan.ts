/** Decides which fragments run on this host, and says of each of the others why not. */
import type { KernelProfile, TracepointName } from '../kernel/profile.js';
import { type Observable, observables } from '../vocabulary.js';
import type { Catalog } from './catalog.js';
import { evidenceSymbols } from './constants.js';
import { inDependencyOrder } from './dependencies.js';
import type { Fragment } from './fragment.js';
import { lockPathSymbols } from './lock-paths.js';
import type { Choice } from './program.js';
import type { Reason } from './reasons.js';
import { examine, type PlanOptions, type ReasonAgainst } from './refusals.js';

export type { PlanOptions } from './refusals.js';

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
  /** In the order of the program. */
  readonly chosen: readonly Choice[];
  readonly refused: readonly Refusal[];
  readonly observables: Readonly<Record<Observable, Observation>>;
}

/** All symbols and tracepoints the profile must be asked for, so that the plan can decide. */
export const askedOfKernel = ({
  fragments,
}: Catalog): { symbols: Set<string>; tracepoints: Set<TracepointName> } => {
  const symbols = new Set<string>([...evidenceSymbols, ...lockPathSymbols]);
  const tracepoints = new Set<TracepointName>();
  for (const { needs, constants, probes } of fragments) {
    for (const symbol of needs.symbols) symbols.add(symbol);
    for (const { source } of constants) if (source.from === 'address') symbols.add(source.of);
    for (const { tracepoint } of needs.fields) tracepoints.add(tracepoint as TracepointName);
    for (const { kind, target } of probes)
      if (kind === 'tracepoint') tracepoints.add(target as TracepointName);
      else symbols.add(target);
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

/**
 * The plan for this host: of fragments that provide the same, the one of lowest rank. A fragment is decided after
 * those it needs.
 */
export const makePlan = (catalog: Catalog, profile: KernelProfile, options: PlanOptions): ProbePlan => {
  const ranked = [...catalog.fragments].sort((a, b) => a.rank - b.rank || (a.name < b.name ? -1 : 1));
  const malformed = malformedFragments(catalog);
  const decisions = new Map<string, Decision>();
  const sources = new Map<Observable, string>();

  const against: ReasonAgainst = (name) => {
    const decision = decisions.get(name);
    if (decision !== undefined) return decision.reasons[0];
    const broken = malformed.find(({ fragment }) => fragment === name);
    return broken?.reasons[0] ?? { code: 'no_fragment', detail: `there is no fragment ${name}` };
  };
  for (const fragment of inDependencyOrder(ranked)) {
    const { constants, reasons } = examine(fragment, profile, options, against);
    const choice = { fragment, constants };
    const operable = reasons.length === 0;
    const needless = operable ? needlessness(choice, sources, profile) : undefined;
    decisions.set(fragment.name, {
      choice,
      operable,
      reasons: needless === undefined ? reasons : [needless],
    });
    if (operable && needless === undefined)
      for (const what of provided(choice)) if (!sources.has(what)) sources.set(what, fragment.name);
  }

  const inOrder = ranked.flatMap(({ name }) => decisions.get(name) ?? []);
  const refused = [
    ...inOrder
      .filter(({ reasons }) => reasons.length > 0)
      .map(({ choice, reasons }) => ({ fragment: choice.fragment.name, reasons })),
    ...malformed,
  ];
  const observe = (what: Observable): Observation => {
    const source = sources.get(what);
    return source === undefined
      ? { observed: false, reason: whyNot(what, inOrder, malformed, profile) }
      : { observed: true, source };
  };
  return {
    chosen: inOrder.filter(({ reasons }) => reasons.length === 0).map(({ choice }) => choice),
    refused,
    observables: Object.fromEntries(
      observables.map((what) => [what, observe(what)]),
    ) as ProbePlan['observables'],
  };
};

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
  sources: ReadonlyMap<Observable, string>,
  profile: KernelProfile,
): Reason | undefined => {
  const what = provided(choice);
  if (choice.fragment.provides.length === 0 || what.some((one) => !sources.has(one))) return undefined;
  const by = [...new Set(what.map((one) => sources.get(one)))].join(', ');
  return by === ''
    ? { code: 'not_on_this_machine', detail: `what it provides cannot be had on ${profile.machine}` }
    : { code: 'covered_by_other', detail: `${by} provides the same` };
};

/** Why nothing shows this: what speaks against the first fragment that could. */
const whyNot = (
  what: Observable,
  decisions: readonly Decision[],
  malformed: readonly Refusal[],
  profile: KernelProfile,
): Reason => {
  const providers = decisions.filter(({ choice }) => provides(choice.fragment, what));
  if (providers.some(({ operable }) => operable))
    return { code: 'not_on_this_machine', detail: `this version cannot tell it on ${profile.machine}` };
  return (
    providers[0]?.reasons[0] ??
    malformed[0]?.reasons[0] ?? { code: 'no_fragment', detail: 'no fragment of this version provides it' }
  );
};

const provides = (fragment: Fragment, what: Observable): boolean =>
  fragment.provides.some((item) => item.what === what);
