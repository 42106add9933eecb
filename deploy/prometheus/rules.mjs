/** The rules, made of thresholds: what generate.mjs writes, and a test may build with other times and limits. */
import { fleetHealth } from './groups/fleet-health.mjs';
import { pages } from './groups/page.mjs';
import { clusterRecords } from './groups/records-cluster.mjs';
import { instanceRecords } from './groups/records-instance.mjs';
import { releaseRecords } from './groups/records-release.mjs';
import { tickets } from './groups/ticket.mjs';

/**
 * @param {import('./thresholds.mjs').Thresholds} thresholds
 * @returns {Record<string, { groups: object[] }>} rule files by name; most of them ask for what records-*.yaml record
 */
export const buildRules = (thresholds) => ({
  'records-instance.yaml': { groups: [instanceRecords(thresholds)] },
  'records-release.yaml': { groups: [releaseRecords(thresholds)] },
  'records-cluster.yaml': { groups: [clusterRecords(thresholds)] },
  'page.yaml': { groups: [pages(thresholds)] },
  'ticket.yaml': { groups: [tickets(thresholds)] },
  'fleet-health.yaml': { groups: [fleetHealth(thresholds)] },
});

/** The same groups as one object of the Prometheus operator. */
export const buildPrometheusRule = (thresholds) => ({
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PrometheusRule',
  metadata: { name: 'mmaplockd', labels: { 'app.kubernetes.io/name': 'mmaplockd' } },
  spec: { groups: Object.values(buildRules(thresholds)).flatMap(({ groups }) => groups) },
});
