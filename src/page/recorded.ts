/** A page that is kept in a file has what it shows in itself. */

import type { History } from '../api/history.js';
import type { IncidentDetail, Status } from './api.js';

/** What `mmaplockd record --html` writes into its page. */
export interface Recorded {
  readonly seconds: number;
  readonly history: History;
  readonly status: Status;
  readonly incidents: readonly IncidentDetail[];
}

/** Undefined where the page is that of a daemon. */
export const recorded = (): Recorded | undefined => {
  const text = document.getElementById('recorded')?.textContent;
  return text === null || text === undefined ? undefined : (JSON.parse(text) as Recorded);
};
