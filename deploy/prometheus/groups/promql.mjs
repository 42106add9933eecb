/** Pieces of PromQL that rules share. `cluster` is a label of the target; where there is none, it matches as empty. */

/** What tells one scraped daemon from another. */
export const host = 'cluster, job, instance';

/** @param {string} text @param {number} [by] how many lines of a block stand to the right */
export const indent = (text, by = 2) => text.replaceAll(/^(?=.)/gm, ' '.repeat(by));

/** An aggregation on lines of its own. */
export const fold = (operator, labels, inner) => `${operator} by (${labels}) (\n${indent(inner)}\n)`;

/**
 * Keeps the series of hosts that saw `what` within the window. What a host does not see is absent in its exposition, too;
 * this ends what a rate would still tell of a counter that has gone. max_over_time bridges a scrape that failed and the
 * start of a daemon, before its first tick.
 */
export const whereObserved = (what, { windows }) =>
  `and on (${host}) (max_over_time(mmaplock_observable{what="${what}"}[${windows.short}]) == 1)`;

/** Keeps the series of hosts that had a tracer within the window: without one, counters stand still and look like calm. */
export const whereTraced = ({ windows }) =>
  `and on (${host}) (max_over_time(mmaplock_tracer_up[${windows.short}]) == 1)`;

/** A rate of the short window, for hosts that see `what`. */
export const rateWhereObserved = (counter, what, thresholds, window = thresholds.windows.short) =>
  [`rate(${counter}[${window}])`, whereObserved(what, thresholds), whereTraced(thresholds)].join('\n');
