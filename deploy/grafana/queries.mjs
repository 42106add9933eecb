/** All queries of a dashboard with Grafana's variables filled in, for those who want to run them without Grafana. */

/** One value for each variable, which matches all there is. `instance` has no All in Grafana: give one. */
export const anything = {
  __interval: '15s',
  __rate_interval: '1m',
  __range: '1h',
  cluster: '.*',
  job: '.+',
  instance: 'localhost:10465',
  file: '.+',
  process: '.+',
  reader: '.+',
  window: '1h',
};

/** `$name`, `${name}` and `${name:format}`; the format says how Grafana joins several values, and here is one. */
const variable = /\$(?:(\w+)|\{(\w+)(?::\w+)?\})/g;

/**
 * @param {string} text
 * @param {Record<string, string>} values
 * @throws where a variable has no value: such a query would go out with the `$` in it
 */
export const substitute = (text, values) =>
  text.replace(variable, (_, bare, braced) => {
    const name = bare ?? braced;
    if (!Object.hasOwn(values, name)) throw new Error(`no value for the variable $${name} in: ${text}`);
    return values[name];
  });

/** A range of a histogram or a graph is asked for step by step, the rest once. */
const ofPanels = (panels) =>
  panels.flatMap((panel) => [
    ...(panel.targets ?? []).map(({ refId, expr, instant, legendFormat }) => ({
      of: 'panel',
      name: `${panel.title}, ${refId}`,
      expr,
      instant: instant === true,
      legend: legendFormat ?? '',
    })),
    ...ofPanels(panel.panels ?? []),
  ]);

const ofAnnotations = ({ list }) =>
  list
    .filter(({ expr }) => expr !== undefined)
    .map(({ name, expr, textFormat }) => ({
      of: 'annotation',
      name,
      expr,
      instant: false,
      legend: textFormat ?? '',
    }));

/** label_values(selector, label) is no PromQL; what it lists is what this counts by. */
const labelValues = /^label_values\((.+), (\w+)\)$/;

const ofVariables = ({ list }) =>
  list
    .filter(({ type }) => type === 'query')
    .map(({ name, query }) => {
      const [, selector, label] = labelValues.exec(query.query) ?? [];
      if (selector === undefined) throw new Error(`$${name} is not made of label_values(): ${query.query}`);
      return { of: 'variable', name, expr: `count by (${label}) (${selector})`, instant: true, legend: '' };
    });

/**
 * @param {object} dashboard as in dashboards/*.json
 * @param {Record<string, string>} [values] of variables, over `anything`
 * @returns {{ of: 'panel' | 'annotation' | 'variable', name: string, expr: string, instant: boolean, legend: string }[]}
 *   `instant` ones are asked for at the end of the time range; `legend` holds names of labels as `{{label}}`
 */
export const queriesOf = (dashboard, values = {}) =>
  [
    ...ofPanels(dashboard.panels),
    ...ofAnnotations(dashboard.annotations),
    ...ofVariables(dashboard.templating),
  ].map((query) => ({ ...query, expr: substitute(query.expr, { ...anything, ...values }) }));
