/** Requests that a page of another site makes a browser send. */
import type { IncomingHttpHeaders } from 'node:http';
import { MmaplockError } from '../../errors.js';

/**
 * Refuses what a browser sent for a page of another origin: with every POST it tells whose page asked (Fetch standard,
 * "append a request `Origin` header"). Programs send no such header. The Host header must be known to be ours.
 * @throws MmaplockError `origin_not_allowed`
 */
export const refuseCrossOrigin = ({ origin, host }: Pick<IncomingHttpHeaders, 'origin' | 'host'>): void => {
  // `null`, for a page that has no origin, is no URL.
  const isOurs = (page: string): boolean => URL.canParse(page) && new URL(page).host === host?.toLowerCase();
  if (origin === undefined || isOurs(origin)) return;
  throw new MmaplockError('origin_not_allowed', 'a page of another origin asks', { field: 'Origin' });
};
