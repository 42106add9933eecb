/** Lists: `{data, next_cursor, as_of, complete}`, and the parameters they share. */
import { type TProperties, type TSchema, Type } from 'typebox';
import { MmaplockError } from '../errors.js';

export const listQuery = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: 'Rows at most.' }),
  ),
  cursor: Type.Optional(
    Type.String({
      maxLength: 64,
      description: 'next_cursor of the page before. Rows may move between pages.',
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
 * One page of rows.
 * @throws MmaplockError `invalid_parameter` for a cursor that is none of ours.
 */
export const pageOf = <Row>(
  rows: readonly Row[],
  { limit = 100, cursor }: { limit?: number | undefined; cursor?: string | undefined },
  { asOf, complete }: { asOf: number; complete: boolean },
): Page<Row> => {
  const offset = cursor === undefined ? 0 : Number(/^o(\d{1,9})$/.exec(cursor)?.[1] ?? Number.NaN);
  if (Number.isNaN(offset))
    throw new MmaplockError('invalid_parameter', 'cursor is not one that a list gave', { field: 'cursor' });
  const end = offset + limit;
  return {
    data: rows.slice(offset, end),
    next_cursor: end < rows.length ? `o${end}` : null,
    as_of: asOf === 0 ? null : new Date(asOf).toISOString(),
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
 * The time a `since` means, in milliseconds since the epoch.
 * @throws MmaplockError `invalid_parameter`
 */
export const sinceTime = (since: string, now: number): number => {
  const duration = /^(\d{1,9})([smhd])$/.exec(since);
  if (duration !== null)
    return now - Number(duration[1]) * (unitMilliseconds[duration[2] as string] as number);
  const time = rfc3339.test(since) ? Date.parse(since) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new MmaplockError(
    'invalid_parameter',
    'since is an RFC 3339 time or a duration such as 90s, 15m, 2h, 1d',
    {
      field: 'since',
    },
  );
};
