/** Tables: one row for each set of labels, worst first. */
import { TableCellDisplayMode, TableSortByFieldStateBuilder } from '@grafana/grafana-foundation-sdk/common';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/table';
import { framed } from './common.mjs';
import { asRows } from './target.mjs';

const link = ({ title, url }) => ({ title, url, targetBlank: false });

const labelColumn = ({ title, link: to }) => [
  { id: 'displayName', value: title },
  ...(to === undefined ? [] : [{ id: 'links', value: [link(to)] }]),
];

const valueColumn = ({ title, unit }, first) => [
  { id: 'displayName', value: title },
  { id: 'unit', value: unit },
  ...(first
    ? [
        { id: 'custom.cellOptions', value: { type: TableCellDisplayMode.Gauge, mode: 'basic' } },
        { id: 'color', value: { mode: 'continuous-YlRd' } },
        { id: 'min', value: 0 },
      ]
    : []),
];

/** Grafana names the value of a query that is alone `Value`, of several `Value #A` and so on. */
const valueName = (index, count) =>
  count === 1 ? 'Value' : `Value #${String.fromCharCode('A'.charCodeAt(0) + index)}`;

/**
 * @param {string} title
 * @param {object} panel
 * @param {string} panel.says how to read it
 * @param {Record<string, { title: string, link?: { title: string, url: string } }>} panel.labels columns, in order
 * @param {readonly { title: string, unit: string, expr: string }[]} panel.values the first sorts the table
 * @param {number} [panel.width] of 24
 * @param {number} [panel.height]
 */
export const table = (title, { says, labels, values, width = 12, height = 10 }) => {
  const names = [...Object.keys(labels), ...values.map((_, index) => valueName(index, values.length))];
  const panel = framed(new PanelBuilder(), title, { says, width, height })
    .targets(asRows(values.map(({ expr }) => expr)))
    .sortBy([new TableSortByFieldStateBuilder().displayName(values[0].title).desc(true)]);
  if (values.length > 1) panel.withTransformation({ id: 'merge', options: {} });
  panel.withTransformation({
    id: 'organize',
    options: {
      excludeByName: { Time: true },
      indexByName: Object.fromEntries(names.map((name, index) => [name, index])),
      renameByName: {},
    },
  });
  for (const [name, column] of Object.entries(labels)) panel.overrideByName(name, labelColumn(column));
  for (const [index, column] of values.entries())
    panel.overrideByName(valueName(index, values.length), valueColumn(column, index === 0));
  return panel;
};

/**
 * One label down, one across.
 * @param {string} title
 * @param {{ says: string, unit: string, expr: string, down: string, across: string, width?: number, height?: number }} panel
 */
export const matrix = (title, { says, unit, expr, down, across, width = 12, height = 8 }) =>
  framed(new PanelBuilder(), title, { says, width, height })
    .targets(asRows([expr]))
    .unit(unit)
    .withTransformation({
      id: 'groupingToMatrix',
      options: { rowField: down, columnField: across, valueField: 'Value', emptyValue: 'null' },
    });
