/** Marks on the graphs of a host. */
import { AnnotationQueryBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { datasource } from './panels/target.mjs';
import { onHost } from './selectors.mjs';

/**
 * Incidents, from increases of their counter. A counter says that one was opened and by the reader of which file; it
 * cannot say who stalled whom, how long it took, or that two were opened between two scrapes.
 */
export const incidents = new AnnotationQueryBuilder()
  .name('Incidents')
  .datasource(datasource)
  .enable(true)
  .iconColor('red')
  .expr(`sum by (file) (increase(mmaplock_incidents_total{${onHost}}[2m])) > 0`)
  .step('60s')
  .titleFormat('Incident')
  .textFormat('Reader of {{file}}. Who and whom: /api/v1/incidents of this host, or its log')
  .tagKeys('file');
