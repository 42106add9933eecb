/** What all alerts have in common. */

/** " of cluster NAME", where targets have that label. */
export const ofCluster = '{{ with $labels.cluster }} of cluster {{ . }}{{ end }}';

/** @param {number} share @returns {string} such as "20%", as humanizePercentage writes it */
export const percent = (share) => `${+(100 * share).toFixed(6)}%`;

/**
 * @param {object} alert
 * @param {string} alert.name the runbook has a section of this name
 * @param {string} alert.expr
 * @param {string} [alert.for]
 * @param {'page' | 'ticket'} alert.severity
 * @param {string} alert.summary
 * @param {string} alert.description
 * @param {import('../thresholds.mjs').Thresholds} thresholds
 */
export const alert = ({ name, expr, for: lasting, severity, summary, description }, { runbooks }) => ({
  alert: name,
  expr,
  ...(lasting === undefined ? {} : { for: lasting }),
  labels: { severity },
  annotations: { summary, description, runbook_url: `${runbooks}#${name.toLowerCase()}` },
});
