/** Histograms over time. */
import { HeatmapCellLayout, TooltipDisplayMode } from '@grafana/grafana-foundation-sdk/common';
import {
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  HeatmapColorScale,
  HeatmapTooltipBuilder,
  PanelBuilder,
  RowsHeatmapOptionsBuilder,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import { framed } from './common.mjs';
import { asHeatmap } from './target.mjs';

/**
 * Durations over time: the more a cell stands out from the background, the more of them.
 * @param {string} title
 * @param {{ says: string, expr: string, width?: number, height?: number }} panel `expr` keeps `le` alone
 */
export const heat = (title, { says, expr, width = 12, height = 9 }) =>
  framed(new PanelBuilder(), title, { says, width, height })
    .targets(asHeatmap(expr))
    .unit('short')
    .calculate(false)
    .color(
      new HeatmapColorOptionsBuilder()
        .mode(HeatmapColorMode.Scheme)
        .scheme('YlOrRd')
        .scale(HeatmapColorScale.Exponential)
        .exponent(0.5)
        .steps(64)
        .reverse(false),
    )
    .rowsFrame(new RowsHeatmapOptionsBuilder().layout(HeatmapCellLayout.Auto))
    .yAxis(new YAxisConfigBuilder().unit('s'))
    .tooltip(
      new HeatmapTooltipBuilder().mode(TooltipDisplayMode.Single).yHistogram(true).showColorScale(true),
    );
