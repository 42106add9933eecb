/** Queries of panels, and what ties them to the datasource the user picks. */
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';

/** The datasource variable of both dashboards: nothing is tied to one Grafana. */
export const datasource = { type: 'prometheus', uid: `\${datasource}` };

const letter = (index) => String.fromCharCode('A'.charCodeAt(0) + index);

const target = (expr, index) => new DataqueryBuilder().datasource(datasource).refId(letter(index)).expr(expr);

/** Over the time range, for graphs. Takes pairs of a legend and an expression. */
export const overTime = (queries) =>
  queries.map(([legend, expr], index) => target(expr, index).range().legendFormat(legend));

/**
 * At the end of the time range. A figure made of a range would show its last sample for as long as that range
 * is, though the host has long stopped to report.
 */
export const atTheEnd = (queries) =>
  queries.map(([legend, expr], index) => target(expr, index).instant().legendFormat(legend));

/** At the end of the time range, one row for each set of labels. */
export const asRows = (exprs) =>
  exprs.map((expr, index) => target(expr, index).instant().format(PromQueryFormat.Table));

/** Over the time range, one row of cells for each `le`. */
export const asHeatmap = (expr) => [
  target(expr, 0).range().format(PromQueryFormat.Heatmap).legendFormat('{{le}}'),
];
