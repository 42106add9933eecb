/** Fragments that others need: in which order they are decided, and which of them cannot be. */
import type { Fragment } from './fragment/fragment.js';
import { type Addition, addsTo, hookOf } from './fragment/hooks.js';

/** The sources of an event, in the order given. */
export const sourcesOf = (event: string, fragments: readonly Fragment[]): Fragment[] =>
  fragments.filter(({ tells }) => tells === event);

/** Each fragment after those it depends on, otherwise as they come. */
export const inDependencyOrder = (fragments: readonly Fragment[]): Fragment[] => {
  const byName = new Map(fragments.map((fragment) => [fragment.name, fragment]));
  const visited = new Set<Fragment>();
  const ordered: Fragment[] = [];
  const visit = (fragment: Fragment | undefined): void => {
    if (fragment === undefined || visited.has(fragment)) return;
    visited.add(fragment);
    for (const name of fragment.needs.fragments) visit(byName.get(name));
    for (const event of fragment.needs.events) sourcesOf(event, fragments).forEach(visit);
    ordered.push(fragment);
  };
  for (const fragment of fragments) visit(fragment);
  return ordered;
};

/**
 * What is wrong with the dependencies of these fragments, in words, by fragment.
 * @param known names that may be depended on: also those of fragments that could not be read
 */
export const dependencyProblems = (
  fragments: readonly Fragment[],
  known: ReadonlySet<string>,
): Map<string, string> => {
  const problems = new Map<string, string>();
  for (const fragment of fragments) {
    const problem = problemOf(fragment, fragments, known);
    if (problem !== undefined) problems.set(fragment.name, problem);
  }
  return problems;
};

const problemOf = (
  fragment: Fragment,
  fragments: readonly Fragment[],
  known: ReadonlySet<string>,
): string | undefined => {
  const unknown = fragment.needs.fragments.find((name) => !known.has(name));
  if (unknown !== undefined) return `it depends on the fragment ${unknown}, which does not exist`;
  const untold = fragment.needs.events.find((event) => sourcesOf(event, fragments).length === 0);
  if (untold !== undefined) return `it needs the event ${untold}, of which no fragment tells`;
  const circle = circleFrom(fragment, fragments);
  if (circle !== undefined) return `it depends on itself: ${circle.join(' -> ')}`;
  for (const addition of fragment.additions) {
    const stray = strayOf(addition, fragments, known);
    if (stray !== undefined) return `it adds to the hook "${addition.hook}", which ${stray} does not have`;
  }
  return undefined;
};

/** What an addition goes to, and has no such hook. A fragment that could not be read has every hook. */
const strayOf = (
  addition: Addition,
  fragments: readonly Fragment[],
  known: ReadonlySet<string>,
): string | undefined => {
  const targets = fragments.filter((fragment) => addsTo(addition, fragment));
  if (targets.length === 0) return known.has(addition.to) ? undefined : addition.to;
  return targets.find(({ lines }) => !lines.some((line) => hookOf(line) === addition.hook))?.name;
};

/** The way from a fragment back to itself, if there is one. */
const circleFrom = (start: Fragment, fragments: readonly Fragment[]): string[] | undefined => {
  const visited = new Set<Fragment>();
  const neededBy = ({ needs }: Fragment): Fragment[] => [
    ...needs.fragments.flatMap((name) => fragments.find((fragment) => fragment.name === name) ?? []),
    ...needs.events.flatMap((event) => sourcesOf(event, fragments)),
  ];
  const walk = (fragment: Fragment, way: readonly string[]): string[] | undefined => {
    for (const next of neededBy(fragment)) {
      if (next === start) return [...way, next.name];
      if (visited.has(next)) continue;
      visited.add(next);
      const found = walk(next, [...way, next.name]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return walk(start, [start.name]);
};
