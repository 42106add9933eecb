/** Fragments that others need: in which order they are decided, and which of them cannot be. */
import type { Fragment } from './fragment.js';
import { hookOf } from './fragment-hooks.js';

/** Each fragment after those it depends on, otherwise as they come. */
export const inDependencyOrder = (fragments: readonly Fragment[]): Fragment[] => {
  const byName = new Map(fragments.map((fragment) => [fragment.name, fragment]));
  const visited = new Set<Fragment>();
  const ordered: Fragment[] = [];
  const visit = (fragment: Fragment | undefined): void => {
    if (fragment === undefined || visited.has(fragment)) return;
    visited.add(fragment);
    for (const name of fragment.needs.fragments) visit(byName.get(name));
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
  const byName = new Map(fragments.map((fragment) => [fragment.name, fragment]));
  const problems = new Map<string, string>();
  for (const fragment of fragments) {
    const unknown = fragment.needs.fragments.find((name) => !known.has(name));
    const circle = circleFrom(fragment, byName);
    const stray = fragment.additions.find(
      (addition) => !hasHook(byName.get(addition.fragment), addition.hook),
    );
    if (unknown !== undefined)
      problems.set(fragment.name, `it depends on the fragment ${unknown}, which does not exist`);
    else if (circle !== undefined)
      problems.set(fragment.name, `it depends on itself: ${circle.join(' -> ')}`);
    else if (stray !== undefined)
      problems.set(
        fragment.name,
        `it adds to the hook "${stray.hook}", which ${stray.fragment} does not have`,
      );
  }
  return problems;
};

/** One that could not be read has every hook: what is wrong with it is said of it. */
const hasHook = (fragment: Fragment | undefined, hook: string): boolean =>
  fragment === undefined || fragment.lines.some((line) => hookOf(line) === hook);

/** The way from a fragment back to itself, if there is one. */
const circleFrom = (start: Fragment, byName: ReadonlyMap<string, Fragment>): string[] | undefined => {
  const visited = new Set<string>();
  const walk = (fragment: Fragment, way: readonly string[]): string[] | undefined => {
    for (const name of fragment.needs.fragments) {
      if (name === start.name) return [...way, name];
      const next = byName.get(name);
      if (next === undefined || visited.has(name)) continue;
      visited.add(name);
      const found = walk(next, [...way, name]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return walk(start, [start.name]);
};
