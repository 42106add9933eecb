/** The order of a list: by one member of its rows, and by their key where that is the same. */
import { Type } from 'typebox';

/** Null stands before all others. */
export type SortValue = string | number | null;

/** How the rows of one list can be sorted. */
export interface Order<Entry, Member extends string = string> {
  /** The members of a row by which it can be. */
  readonly members: readonly Member[];
  /** Their values: what an entry holds, without a look at anything else, for all entries are asked. */
  readonly measure: (entry: Entry) => Readonly<Record<Member, SortValue>>;
  /** Tells an entry from all others, now and later. */
  readonly key: (entry: Entry) => string;
  /** As the parameter says it. */
  readonly normally: Member | `-${Member}`;
  /** A member that decides where another is the same, before the key does. */
  readonly ties?: Readonly<Partial<Record<Member, Member>>>;
}

/** Where an entry stands in a list. No two entries of a list stand at the same place. */
export interface Place {
  readonly values: readonly SortValue[];
  readonly key: string;
}

/** The parameter `sort` of a list. */
export const sortQuery = <Entry, Member extends string>({ members, normally }: Order<Entry, Member>) => ({
  sort: Type.Optional(
    Type.Enum(
      members.flatMap((member) => [member, `-${member}`]),
      {
        default: normally,
        description: 'The member that rows are sorted by; with - before it, the largest first, null last.',
      },
    ),
  ),
});

/** @param sort one that {@link sortQuery} accepts */
export const placeOf = <Entry, Member extends string>(
  entry: Entry,
  { measure, key, ties }: Order<Entry, Member>,
  sort: string,
): Place => {
  const values = measure(entry);
  const member = sort.replace(/^-/, '') as Member;
  const tie = ties?.[member];
  return {
    values: tie === undefined ? [values[member]] : [values[member], values[tie]],
    key: key(entry),
  };
};

/** Which of two places comes first under a `sort`: below 0 for a. Where values are the same, keys go up either way. */
export const comparePlaces = (a: Place, b: Place, sort: string): number => {
  for (const [index, value] of a.values.entries()) {
    const difference = compareValues(value, b.values[index] ?? null);
    if (difference !== 0) return sort.startsWith('-') ? -difference : difference;
  }
  return compareValues(a.key, b.key);
};

/** Null, then numbers, then strings by their code units, so that the order is the same everywhere. */
const compareValues = (a: SortValue, b: SortValue): number => {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? -1 : 1;
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : 1;
};
