/** Lists: `{data, next_cursor, as_of, complete}`, and the parameters they share. */
import { type TProperties, type TSchema, Type } from 'typebox';
import type { Clock } from '../../clock.js';
import { MmaplockError } from '../../errors.js';
import { asOf } from '../as-of.js';
import type { DaemonView } from '../view.js';
import { longestCursor, type PageQuery, takePage } from './cursor.js';
import type { Order } from './order.js';

/** Beside it, a list takes the `sort` of its order: see order.ts. */
export const listQuery = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: 'Rows at most.' }),
  ),
  cursor: Type.Optional(
    Type.String({
      maxLength: longestCursor,
      description:
        'next_cursor of the page before, asked for with the same sort. A row whose place stays is in one page.',
    }),
  ),
};

export const sinceQuery = {
  since: Type.Optional(
    Type.String({
      maxLength: 64,
      description: 'Only what happened since: RFC 3339, or a duration back from now (90s, 15m, 2h, 1d).',
    }),
  ),
};

/** The schema of a list of rows, with what else the answer holds. */
export const listOf = <T extends TSchema, E extends TProperties = Record<never, never>>(
  row: T,
  extra = {} as E,
) =>
  Type.Object({
    ...extra,
    data: Type.Array(row),
    next_cursor: Type.Union([Type.String(), Type.Null()]),
    as_of: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
    complete: Type.Boolean({ description: 'False when rows were dropped because a bound was reached.' }),
  });

export interface Page<Row> {
  readonly data: Row[];
  readonly next_cursor: string | null;
  readonly as_of: string | null;
  readonly complete: boolean;
}

/**
 * One page of a list.
 * @throws MmaplockError `invalid_parameter` for a cursor that is none of ours, or of another `sort`
 */
export const pageOf = <Entry, Member extends string, Row>(
  entries: readonly Entry[],
  query: PageQuery,
  {
    order,
    describe,
    view,
    complete,
  }: {
    readonly order: Order<Entry, Member>;
    /** Called for the entries of the page alone. */
    readonly describe: (entry: Entry) => Row;
    readonly view: Pick<DaemonView, 'ledger' | 'timeOfDay'>;
    readonly complete: boolean;
  },
): Page<Row> => {
  const { rows, next } = takePage(entries, order, query);
  return {
    data: rows.map(describe),
    next_cursor: next,
    as_of: asOf(view),
    complete,
  };
};

const unitMilliseconds: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const rfc3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/**
 * Whether a time of the ledger is not before a `since`; every time is where there is none.
 * @throws MmaplockError `invalid_parameter`
 */
export const sinceFilter = (
  since: string | undefined,
  clock: Pick<Clock, 'now' | 'atTimeOfDay'>,
): ((at: number) => boolean) => {
  const from = since === undefined ? Number.NEGATIVE_INFINITY : sinceTime(since, clock);
  return (at) => at >= from;
};

/**
 * The time of the ledger that a `since` means.
 * @throws MmaplockError `invalid_parameter`
 */
export const sinceTime = (since: string, clock: Pick<Clock, 'now' | 'atTimeOfDay'>): number => {
  const duration = /^(\d{1,9})([smhd])$/.exec(since);
  if (duration !== null)
    return clock.now() - Number(duration[1]) * (unitMilliseconds[duration[2] as string] as number);
  const time = rfc3339.test(since) ? Date.parse(since) : Number.NaN;
  if (!Number.isNaN(time)) return clock.atTimeOfDay(time);
  throw new MmaplockError(
    'invalid_parameter',
    'since is an RFC 3339 time or a duration such as 90s, 15m, 2h, 1d',
    {
      field: 'since',
    },
  );
};
