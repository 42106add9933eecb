/**
 * Fragments of mode `start`: they run once, before the watch program and with nothing of it but the source of reads that
 * is to be proven, so no plan has to fit them in.
 */
import type { KernelProfile } from '../kernel/profile.js';
import type { Catalog } from './catalog.js';
import type { Refusal } from './plan.js';
import type { Choice } from './program.js';
import type { Reason } from './reasons.js';
import { examine, type PlanOptions } from './refusals.js';

export interface AtStart {
  readonly chosen: readonly Choice[];
  /** Those that cannot run here even then. */
  readonly refused: readonly Refusal[];
}

/** Which of them run on this host. */
export const chooseAtStart = (
  { fragments }: Catalog,
  profile: KernelProfile,
  options: PlanOptions,
): AtStart => {
  const chosen: Choice[] = [];
  const refused: Refusal[] = [];
  for (const fragment of fragments.filter(({ mode }) => mode === 'start')) {
    const alone = (what: string): Reason => ({
      code: 'start_only',
      detail: `it runs alone, without ${what}`,
    });
    const { reasons, ...choice } = examine({ ...fragment, mode: 'watch' }, profile, options, {
      against: alone,
      againstEvent: alone,
    });
    const all = [...reasons, ...(reasons.length === 0 ? unknownFacts(choice, profile) : [])];
    if (all.length === 0) chosen.push(choice);
    else refused.push({ fragment: fragment.name, reasons: all });
  }
  return { chosen, refused };
};

/** A fragment that looks at one task, at one register, would see nothing where these are not known. */
const unknownFacts = ({ fragment, constants }: Choice, profile: KernelProfile): Reason[] =>
  fragment.constants
    .filter(({ name, source }) => source.from === 'host' && constants.get(name) === 0)
    .map(({ source }) =>
      source.of === 'daemon_pid'
        ? { code: 'unknown_host_fact', detail: 'this daemon runs in a pid namespace of its own' }
        : { code: 'not_on_this_machine', detail: `${String(source.of)} is not known on ${profile.machine}` },
    );

/** The refusals of a plan, with the true reasons of those that cannot even run at the start. */
export const withReasonsAtStart = (refused: readonly Refusal[], atStart: AtStart): Refusal[] =>
  refused.map((refusal) => atStart.refused.find(({ fragment }) => fragment === refusal.fragment) ?? refusal);
