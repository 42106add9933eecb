/** Levenshtein distance: the fewest insertions, deletions and replacements that turn `a` into `b`. */
const distance = (a: string, b: string): number => {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, previous[column]! + 1, current[column - 1]! + 1));
    }
    previous = current;
  }
  return previous[b.length]!;
};

/** Nobody mistypes a longer name; and the distance costs time proportional to the length. */
const longestName = 100;

/**
 * The known name nearest to a mistyped one, ignoring case: undefined when none is close (more than a third of
 * the known name wrong, rounded up). The first wins among equals.
 */
export const suggest = (name: string, known: Iterable<string>): string | undefined => {
  if (name.length > longestName) return undefined;
  let nearest: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const wrong = distance(name.toLowerCase(), candidate.toLowerCase());
    if (wrong < least && wrong <= Math.ceil(candidate.length / 3)) {
      nearest = candidate;
      least = wrong;
    }
  }
  return nearest;
};
