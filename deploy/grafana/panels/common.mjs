/** What the panels of every kind share. */
import { ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard';
import { datasource } from './target.mjs';

const colors = ['green', 'orange', 'red'];

/**
 * Green, orange from the first limit on, red from the second.
 * @param {readonly number[]} limits
 */
export const thresholds = (limits) =>
  new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps([null, ...limits].map((value, index) => ({ value, color: colors[index] })));

/**
 * The frame of a panel: its title, how to read it, its place.
 * @param builder a panel builder of the SDK
 * @param {{ says: string, width: number, height: number }} frame `says` is the description, Markdown.
 */
export const framed = (builder, title, { says, width, height }) =>
  builder.title(title).description(says).datasource(datasource).span(width).height(height);
