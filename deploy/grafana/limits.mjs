/** Where figures turn orange and red: where the alerts fire, so that both say the same. */
import { thresholds } from '../prometheus/thresholds.mjs';

const { page, ticket, fleet } = thresholds;

/** A share as text, such as `2 %`. */
export const percent = (share) => `${Number((share * 100).toPrecision(3))} %`;

export const ticketShare = ticket.writersBlocked.share;
export const pageShare = page.writersBlocked.share;
export const fleetShare = fleet.share;
export const fleetFor = fleet.for;

export const writersBlocked = [ticketShare, pageShare];
export const oldestWait = [page.oldestWait.seconds / 10, page.oldestWait.seconds];
export const hosts = [fleetShare / 2, fleetShare];

/** Of one core. No alert hangs on it: it is what a canary roll-out is measured by. */
export const cpu = [0.02, 0.05];

/** Samples of a host: the daemon never serves more than the second. */
export const series = [1000, 1500];
