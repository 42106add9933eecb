/** Incidents, one by one: the sentence, and on demand its timeline, its evidence and what to do about it. */
import type { IncidentDetail } from './api.js';
import { el, replace, sentence } from './dom.js';
import { count, seconds, timeOfDay } from './format.js';
import type { Listed } from './incident-list.js';
import type { Filter } from './model.js';

export interface IncidentsOptions {
  readonly filter: Filter;
  /** Id of the one that is open. */
  readonly open: string | undefined;
  readonly detail: IncidentDetail | undefined;
  readonly onOpen: (id: string | undefined) => void;
}

const evidenceText = {
  windows:
    'The shares of readers are an estimate: from when each was granted the lock to the end of its read().',
  overlap: 'The shares of readers are measured: how long each held the lock meanwhile (inspect mode).',
  none: 'No reader of a proc file was found: the sentence says what was looked at.',
} as const;

export const showIncidents = (
  parent: HTMLElement,
  incidents: readonly Listed[],
  { filter, open, detail, onOpen }: IncidentsOptions,
): void => {
  const shown = incidents.filter(
    ({ victim, readers, file, id }) =>
      id === open ||
      ((filter.victim === undefined || victim === filter.victim) &&
        (filter.reader === undefined || readers.includes(filter.reader)) &&
        (filter.file === undefined || file === filter.file)),
  );
  if (shown.length === 0) {
    replace(parent, el('p', { class: 'nothing' }, 'None.'));
    return;
  }
  replace(
    parent,
    el(
      'ul',
      { class: 'incidents' },
      ...shown.map((incident) =>
        el(
          'li',
          { class: incident.state },
          el(
            'button',
            {
              type: 'button',
              'aria-expanded': String(incident.id === open),
              'data-key': `incident ${incident.id}`,
              click: () => onOpen(incident.id === open ? undefined : incident.id),
            },
            el('time', { datetime: incident.opened_at }, timeOfDay(incident.opened_at)),
            incident.state === 'open' ? el('strong', {}, ' goes on') : null,
          ),
          el('p', {}, ...sentence(incident.sentence)),
          incident.id === open && detail?.id === open ? detailOf(detail) : null,
        ),
      ),
    ),
  );
};

const detailOf = (detail: IncidentDetail): HTMLElement =>
  el(
    'div',
    { class: 'detail' },
    timeline(detail),
    el(
      'p',
      { class: 'hint' },
      `${timeOfDay(detail.opened_at)}, ${seconds(detail.duration_seconds)} long, a writer blocked for ${seconds(detail.blocked_seconds)} of it` +
        `${detail.convoy_waits_total > 0 ? `; ${count(detail.convoy_waits_total)} waits queued behind` : ''}. ${evidenceText[detail.evidence]}`,
    ),
    detail.readers.length === 0
      ? null
      : el(
          'ul',
          {},
          ...detail.readers.map(({ name, pid, unit, file, share_seconds }) =>
            el(
              'li',
              {},
              `${name}${pid === null ? '' : ` (pid ${pid})`}${unit === null ? '' : `, ${unit}`}: ${file}, ${seconds(share_seconds)}`,
            ),
          ),
        ),
    ...detail.advice.map((advice) => el('p', { class: 'advice' }, ...sentence(advice))),
    ...detail.kernel_stacks
      .slice(0, 3)
      .map(({ frames, count: times }) => el('pre', {}, `${count(times)} times\n${frames.join('\n')}`)),
    el('p', {}, el('a', { href: `#incident=${encodeURIComponent(detail.id)}` }, 'Link to this incident')),
  );

/** A bar for each step, by how long writers waited in it. */
const timeline = ({ timeline: { points, step_seconds } }: IncidentDetail): HTMLElement => {
  const most = Math.max(...points.map(({ blocked_seconds }) => blocked_seconds), Number.MIN_VALUE);
  const first = Date.parse(points[0]?.at ?? '');
  const last = Date.parse(points.at(-1)?.at ?? '');
  const steps = Math.min(300, Math.round((last - first) / 1000 / step_seconds) + 1) || 0;
  const byStep = new Map(
    points.map((point) => [Math.round((Date.parse(point.at) - first) / 1000 / step_seconds), point]),
  );
  const bars = Array.from({ length: steps }, (_, step) => {
    const point = byStep.get(step);
    const bar = el('span', {
      title:
        point === undefined
          ? 'nothing'
          : `${timeOfDay(point.at)}: ${seconds(point.blocked_seconds)} in ${count(point.waits_total)} waits, ${count(point.convoy_waits_total)} behind`,
    });
    bar.style.height = `${point === undefined ? 0 : Math.max(4, (point.blocked_seconds / most) * 100)}%`;
    return bar;
  });
  return el(
    'div',
    {
      class: 'timeline',
      role: 'img',
      'aria-label': `Blocked time in ${steps} steps of ${step_seconds} s, at most ${seconds(most)}`,
    },
    ...bars,
  );
};
