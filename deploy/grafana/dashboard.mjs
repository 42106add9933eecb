/** A dashboard of its parts. */
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';

const link = ({ title, uid }) =>
  new DashboardLinkBuilder(title)
    .type(DashboardLinkType.Link)
    .icon('dashboard')
    .tooltip(title)
    .url(`/d/${uid}`)
    .includeVars(true)
    .keepTime(true);

/** The SDK would move links and annotations into a menu, where nobody finds them. */
const inSight = ({ placement: _, ...rest }) => rest;

/**
 * @param {object} parts
 * @param {string} parts.uid never to change: links and bookmarks hang on it
 * @param {string} parts.title
 * @param {string} parts.says
 * @param {string} parts.from the begin of the time range
 * @param {readonly object[]} parts.variables
 * @param {readonly { title?: string, panels: readonly object[] }[]} parts.rows without a title: no heading
 * @param {readonly object[]} [parts.annotations]
 * @param {{ title: string, uid: string }} parts.other the dashboard to link to
 */
export const dashboard = ({ uid, title, says, from, variables, rows, annotations = [], other }) => {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(says)
    .tags(['mmaplockd', 'mmap_lock'])
    .timezone('browser')
    .refresh('30s')
    .time({ from, to: 'now' })
    .tooltip(DashboardCursorSync.Crosshair)
    .variables(variables)
    .annotations(annotations)
    .links([link(other)]);
  for (const { title: heading, panels } of rows) {
    if (heading !== undefined) builder.withRow(new RowBuilder(heading));
    for (const panel of panels) builder.withPanel(panel);
  }
  const built = builder.build();
  return {
    ...built,
    panels: built.panels.map((panel, index) => ({ ...panel, id: index + 1 })),
    links: built.links.map(inSight),
    annotations: { list: built.annotations.list?.map(inSight) ?? [] },
  };
};
