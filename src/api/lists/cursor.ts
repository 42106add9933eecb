/**
 * Pages of a list whose rows come and go. A cursor holds the place at which a page ended, and the next page goes on
 * after that place, wherever its rows are by then: a row whose place stays is in exactly one page.
 */
import { MmaplockError } from '../../errors.js';
import { comparePlaces, type Order, type Place, placeOf, type SortValue } from './order.js';

/** What the cursor is of. */
interface Cursor extends Place {
  readonly sort: string;
}

export interface PageQuery {
  readonly limit?: number | undefined;
  readonly sort?: string | undefined;
  readonly cursor?: string | undefined;
}

/** Characters of a cursor at most: two names and cgroup ids are in the longest. */
export const longestCursor = 1024;

/**
 * The rows of a page, and the cursor of the next one.
 * @throws MmaplockError `invalid_parameter` for a cursor that is none of ours, or of another `sort`
 */
export const takePage = <Entry, Member extends string>(
  entries: readonly Entry[],
  order: Order<Entry, Member>,
  { limit = 100, sort = order.normally, cursor }: PageQuery,
): { readonly rows: Entry[]; readonly next: string | null } => {
  const after = cursor === undefined ? undefined : decodeCursor(cursor);
  if (after !== undefined && after.sort !== sort)
    throw refusal(`cursor is of a list with sort=${after.sort}, not sort=${sort}`);
  const rest = entries
    .map((entry) => ({ entry, place: placeOf(entry, order, sort) }))
    .filter(({ place }) => after === undefined || comparePlaces(place, after, sort) > 0)
    .sort((a, b) => comparePlaces(a.place, b.place, sort));
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  return {
    rows: page.map(({ entry }) => entry),
    next: last === undefined || rest.length <= limit ? null : encodeCursor({ sort, ...last.place }),
  };
};

const encodeCursor = ({ sort, values, key }: Cursor): string =>
  Buffer.from(JSON.stringify([sort, values, key])).toString('base64url');

const decodeCursor = (text: string): Cursor => {
  const parts = parsed(text);
  if (Array.isArray(parts) && parts.length === 3) {
    const [sort, values, key] = parts;
    if (typeof sort === 'string' && isValues(values) && typeof key === 'string') return { sort, values, key };
  }
  throw refusal('cursor is not one that a list gave');
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return undefined;
  }
};

const isValues = (values: unknown): values is SortValue[] =>
  Array.isArray(values) &&
  values.length > 0 &&
  values.every((value) => value === null || typeof value === 'string' || typeof value === 'number');

const refusal = (message: string): MmaplockError =>
  new MmaplockError('invalid_parameter', message, {
    field: 'cursor',
    fix: 'Pass the next_cursor of the page before with the same sort, or leave it out to start again.',
  });
