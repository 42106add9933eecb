/** The program of inspect mode: who held an mmap_lock and how long, by real holds. A second tracer runs it, for seconds. */
import { MmaplockError } from '../errors.js';
import type { KernelProfile } from '../kernel/profile.js';
import type { ShedStep } from '../vocabulary.js';
import type { Catalog } from './catalog.js';
import type { Fragment } from './fragment/fragment.js';
import { addsTo } from './fragment/hooks.js';
import { makePlan } from './plan.js';
import { type Choice, joinProgram, type Program } from './program.js';
import type { Reason } from './reasons.js';
import type { PlanOptions } from './refusals.js';

/** What inspect mode adds to what it needs of the watch program. Without the first it would tell nothing new. */
const inspectors = ['holds', 'writer-stacks'] as const;

export interface Inspection {
  /** In the order of the program; empty where this host does not let it run. */
  readonly chosen: readonly Choice[];
  /** Why not, if so. */
  readonly reason: Reason | undefined;
}

/**
 * The program of inspect mode.
 * @param shed what is given up to keep to the cost budget
 * @throws MmaplockError `inspect_shed`, `inspect_unavailable`
 */
export const inspectProgram = ({ chosen, reason }: Inspection, shed: readonly ShedStep[] = []): Program => {
  if (shed.includes('inspect'))
    throw new MmaplockError('inspect_shed', 'inspect mode is given up to keep to the cost budget');
  if (chosen.length === 0)
    throw new MmaplockError('inspect_unavailable', reason?.detail ?? 'no fragment can run on this host');
  return joinProgram(chosen);
};

/** Which fragments run in inspect mode on this host: those above, and all they need. */
export const chooseForInspection = (
  { fragments, problems }: Catalog,
  profile: KernelProfile,
  options: PlanOptions,
): Inspection => {
  const isInspector = ({ name }: Fragment): boolean => (inspectors as readonly string[]).includes(name);
  const allowed = fragments.map(
    (fragment): Fragment => (isInspector(fragment) ? { ...fragment, mode: 'watch' } : fragment),
  );
  const { chosen, refused } = makePlan({ fragments: allowed, problems }, profile, options);
  const [holds] = inspectors;
  if (!chosen.some(({ fragment }) => fragment.name === holds)) {
    const why = refused.find(({ fragment }) => fragment === holds)?.reasons[0];
    return {
      chosen: [],
      reason:
        why === undefined
          ? { code: 'no_fragment', detail: `there is no fragment ${holds}` }
          : { code: why.code, detail: `${holds} does not run here: ${why.detail}` },
    };
  }
  const needed = new Set<string>(inspectors);
  for (const name of needed) {
    const choice = chosen.find(({ fragment }) => fragment.name === name);
    for (const { fragment } of chosen)
      if (choice !== undefined && isNeededBy(choice.fragment, fragment)) needed.add(fragment.name);
  }
  return { chosen: chosen.filter(({ fragment }) => needed.has(fragment.name)), reason: undefined };
};

/** Whether `user` cannot run without `other`, or adds to it. */
const isNeededBy = ({ needs, additions }: Fragment, other: Fragment): boolean =>
  needs.fragments.includes(other.name) ||
  (other.tells !== undefined && needs.events.includes(other.tells)) ||
  additions.some((addition) => !addition.optional && addsTo(addition, other));
