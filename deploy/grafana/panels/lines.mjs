/** A graph over time. */
import {
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { framed, thresholds } from './common.mjs';
import { overTime } from './target.mjs';

const legend = new VizLegendOptionsBuilder()
  .showLegend(true)
  .displayMode(LegendDisplayMode.Table)
  .placement(LegendPlacement.Bottom)
  .calcs(['mean', 'max'])
  .sortBy('Max')
  .sortDesc(true);

const tooltip = new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending);

/**
 * A graph over time. Gaps stay gaps: what is not observed is no zero.
 * @param {string} title
 * @param {object} panel
 * @param {string} panel.says how to read it
 * @param {string} panel.unit
 * @param {readonly (readonly [string, string])[]} panel.queries legend and expression of each
 * @param {readonly number[]} [panel.limits] drawn as dashed lines: orange, red
 * @param {boolean} [panel.stack] parts of one whole, on top of each other
 * @param {number} [panel.max] the end of the axis
 * @param {number} [panel.width] of 24
 * @param {number} [panel.height]
 */
export const lines = (title, { says, unit, queries, limits, stack = false, max, width = 12, height = 8 }) => {
  const panel = framed(new PanelBuilder(), title, { says, width, height })
    .targets(overTime(queries))
    .unit(unit)
    .min(0)
    .lineWidth(1)
    .fillOpacity(stack ? 40 : 10)
    .showPoints(VisibilityMode.Auto)
    .legend(legend)
    .tooltip(tooltip);
  if (max !== undefined) panel.max(max);
  if (stack) panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
  if (limits !== undefined)
    panel
      .thresholds(thresholds(limits))
      .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  return panel;
};
