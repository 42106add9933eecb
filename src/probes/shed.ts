/** What the cost budget leaves of the probes: the operator's switches, turned down step by step. */
import type { ShedStep } from '../vocabulary.js';
import type { Fragment } from './fragment/fragment.js';
import type { ProbeSwitch } from './fragment/header.js';
import { addsTo } from './fragment/hooks.js';
import type { Reason } from './reasons.js';

/** Where a switch stands after these steps, wherever the operator has put it. Nothing is ever turned up. */
const positionAfter = (key: ProbeSwitch, position: string, shed: readonly ShedStep[]): string => {
  if (key === 'retries' && shed.includes('retries')) return 'off';
  if (key !== 'reads' || position === 'off') return position;
  if (shed.includes('opens')) return 'off';
  return shed.includes('reads') ? 'opens' : position;
};

/** Whether a fragment is left out after these steps, which the operator lets run. */
const isLeftOut = (
  { runsWhen }: Pick<Fragment, 'runsWhen'>,
  positions: Readonly<Record<ProbeSwitch, string>>,
  shed: readonly ShedStep[],
): boolean =>
  shed.includes('waits') ||
  runsWhen.some(({ key, positions: wanted }) => !wanted.includes(positionAfter(key, positions[key], shed)));

/** Why a fragment that the operator lets run does not, if it is left out for its cost. */
export const shedReason = (
  fragment: Fragment,
  positions: Readonly<Record<ProbeSwitch, string>>,
  shed: readonly ShedStep[],
): Reason | undefined =>
  isLeftOut(fragment, positions, shed)
    ? {
        code: 'shed_for_cost',
        detail: `given up to keep to the cost budget (cost.budget_percent): ${shed.join(', ')}`,
      }
    : undefined;

/**
 * The steps of the watch program that would leave out some of these fragments which the step before did not; a step
 * that makes no difference on this host is none.
 * @param running those that run while nothing is given up
 */
export const shedStepsFor = (
  running: readonly Fragment[],
  positions: Readonly<Record<ProbeSwitch, string>>,
): ShedStep[] => {
  const steps: ShedStep[] = [];
  let left = running;
  for (const step of ['retries', 'reads', 'opens', 'waits'] as const) {
    const remaining = left.filter((fragment) => !isLeftOut(fragment, positions, [...steps, step]));
    if (remaining.length === left.length) continue;
    steps.push(step);
    left = remaining;
  }
  return steps;
};

/**
 * The probes that a step takes away, and those that stay and lose what fragments that go have added to them.
 * @param running those that run now
 */
export const probesOfStep = (
  running: readonly Fragment[],
  positions: Readonly<Record<ProbeSwitch, string>>,
  shed: readonly ShedStep[],
  step: ShedStep,
): { readonly gone: Set<string>; readonly lightened: Set<string> } => {
  const leaving = running.filter((fragment) => isLeftOut(fragment, positions, [...shed, step]));
  // It grows while it is gone through: what needs one that goes, goes.
  for (const { name, tells } of leaving)
    for (const other of running)
      if (
        !leaving.includes(other) &&
        (other.needs.fragments.includes(name) || (tells !== undefined && other.needs.events.includes(tells)))
      )
        leaving.push(other);
  const staying = running.filter((fragment) => !leaving.includes(fragment));
  const lightened = new Set<Fragment>();
  const lighten = ({ additions }: Fragment): void => {
    for (const target of staying)
      if (!lightened.has(target) && additions.some((addition) => addsTo(addition, target))) {
        lightened.add(target);
        lighten(target);
      }
  };
  leaving.forEach(lighten);
  const probesOf = (fragments: Iterable<Fragment>): Set<string> =>
    new Set([...fragments].flatMap(({ probes }) => probes.map(({ kind, target }) => `${kind}:${target}`)));
  return { gone: probesOf(leaving), lightened: probesOf(lightened) };
};
