/** Until when an answer holds. */
import { isoTime } from '../clock.js';
import type { DaemonView } from './view.js';

/** The time of day of the newest record; null before the first. */
export const asOf = (view: Pick<DaemonView, 'ledger' | 'timeOfDay'>): string | null =>
  view.ledger.asOf === 0 ? null : isoTime(view, view.ledger.asOf);
