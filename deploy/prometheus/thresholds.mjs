/**
 * Every number of the rules, in one place. After a change: `node deploy/prometheus/generate.mjs`, which writes rules/
 * and prometheus-rule.yaml anew; then the cases in tests/ have to say the same.
 */

/**
 * @typedef {object} Thresholds
 * @property {string} jobs regular expression: the scrape jobs whose targets are hosts that should be observed
 * @property {string} runbooks where the runbooks are: alerts link to it with an anchor. A URL, or a path
 * @property {string} interval how often rules are evaluated
 * @property {{ short: string, medium: string, long: string }} windows what rates look back on. The names of the records
 *   hold the windows (rate5m): change them for tests only
 * @property {{ oldestWait: { seconds: number, for: string }, writersBlocked: { share: number } }} page
 * @property {{ writersBlocked: { share: number }, incidents: { count: number } }} ticket
 * @property {{ share: number, hosts: number, most: number, for: string, gap: number }} fleet
 */

/** @type {Thresholds} */
export const thresholds = {
  jobs: '(.+/)?mmaplockd',
  runbooks: 'runbooks.md',
  interval: '30s',
  windows: { short: '5m', medium: '10m', long: '1h' },

  /** Somebody is woken, for victims that metrics.watched_victims names. */
  page: {
    /** A thread stands for so long already, at every look for so long. */
    oldestWait: { seconds: 5, for: '1m' },
    /** Of the medium window, the share in which writers stood behind readers. */
    writersBlocked: { share: 0.2 },
  },

  /** Somebody looks at it on a working day, for any host. */
  ticket: {
    /** Of the long window, the share in which writers stood behind readers. */
    writersBlocked: { share: 0.02 },
    /** Incidents with a reader in the long window: one a minute. */
    incidents: { count: 60 },
  },

  /** The observation itself, for each cluster. */
  fleet: {
    /** More than this share of the hosts, for so long ... */
    share: 0.02,
    for: '15m',
    /** ... and at least so many: one of ten is a host to mend, and no fleet. */
    hosts: 2,
    /** Or this share, however few: a fleet may be one host. */
    most: 0.5,
    /** Of the short window, the share without a tracer from which on a host counts. A restart takes 3 s. */
    gap: 0.1,
  },
};
