/** Figures that stand alone, and bars: values at the end of the time range. */
import { PanelBuilder as BarsBuilder } from '@grafana/grafana-foundation-sdk/bargauge';
import {
  BarGaugeDisplayMode,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  ReduceDataOptionsBuilder,
  VizOrientation,
} from '@grafana/grafana-foundation-sdk/common';
import { MappingType } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as FigureBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { framed, thresholds } from './common.mjs';
import { atTheEnd } from './target.mjs';

const lastValue = new ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('').values(false);

/**
 * One figure, or one for each series.
 * @param {string} title
 * @param {object} panel
 * @param {string} panel.says how to read it
 * @param {string} panel.unit
 * @param {string} panel.expr
 * @param {string} [panel.legend] names the series where there are several; told instead of the value with `named`
 * @param {boolean} [panel.named] the series is an info metric: its labels are what is to be told
 * @param {readonly number[]} [panel.limits]
 * @param {Record<string, { text: string, color: string }>} [panel.words] words for values
 * @param {number} [panel.width] of 24
 */
export const figure = (title, { says, unit, expr, legend = '', named = false, limits, words, width = 4 }) => {
  const panel = framed(new FigureBuilder(), title, { says, width, height: 4 })
    .targets(atTheEnd([[legend, expr]]))
    .unit(unit)
    .reduceOptions(lastValue)
    .graphMode(BigValueGraphMode.None)
    .textMode(named ? BigValueTextMode.Name : BigValueTextMode.Auto)
    .colorMode(
      limits === undefined && words === undefined ? BigValueColorMode.None : BigValueColorMode.Value,
    );
  panel.thresholds(thresholds(limits ?? []));
  if (words !== undefined) panel.mappings([{ type: MappingType.ValueToText, options: words }]);
  return panel;
};

/**
 * One bar for each series.
 * @param {string} title
 * @param {object} panel
 * @param {string} panel.says how to read it
 * @param {string} panel.unit
 * @param {string} panel.legend
 * @param {string} panel.expr
 * @param {readonly number[]} [panel.limits]
 * @param {number} [panel.max] the end of the bars; without it the longest sets it
 * @param {number} [panel.width] of 24
 * @param {number} [panel.height]
 */
export const bars = (title, { says, unit, legend, expr, limits, max, width = 6, height = 10 }) => {
  const panel = framed(new BarsBuilder(), title, { says, width, height })
    .targets(atTheEnd([[legend, expr]]))
    .unit(unit)
    .min(0)
    .reduceOptions(lastValue)
    .orientation(VizOrientation.Horizontal)
    .displayMode(BarGaugeDisplayMode.Basic)
    .thresholds(thresholds(limits ?? []));
  if (max !== undefined) panel.max(max);
  return panel;
};
