/** Whether the monitoring itself is whole: the tracer, what was lost, what was given up, and what it costs. */
import type { Status } from './api.js';
import { el, replace } from './dom.js';
import { count, percent } from './format.js';

/** How old the newest tick may be before that is said: it comes every second. */
const staleSeconds = 5;

/** @param silence seconds since the last tick; undefined where none is awaited */
export const showHealth = (
  parent: HTMLElement,
  status: Status | undefined,
  silence: number | undefined,
): void => {
  if (status === undefined) {
    replace(parent, 'Asking whether the monitoring is whole.');
    return;
  }
  const { ready, problems, tracer, cost } = status;
  const overflows = Object.values(tracer.map_overflows).reduce((sum, updates) => sum + updates, 0);
  const lost = [
    [tracer.lost_events_total, 'events lost'],
    [tracer.decode_errors_total, 'lines not understood'],
    [overflows, 'updates a full map refused'],
  ] as const;
  const told = lost.filter(([amount]) => amount > 0).map(([amount, what]) => `${count(amount)} ${what}`);
  const stale = ready && silence !== undefined && silence > staleSeconds;
  const whole = ready && problems.length === 0 && told.length === 0 && !stale;
  replace(
    parent,
    el('span', { class: whole ? 'good' : 'bad', 'aria-hidden': true }, whole ? '●' : '▲'),
    whole
      ? ' Monitoring is whole'
      : ` Monitoring is not whole: ${trouble(status, told, stale ? silence : undefined)}`,
    cost.probe_cost_ratio === null
      ? '.'
      : `; its probes take ${percent(cost.probe_cost_ratio)} of one core (budget ${percent(cost.budget_ratio)}).`,
    problems.length === 0
      ? null
      : el(
          'ul',
          {},
          ...problems.map(({ code, message, fix }) =>
            el('li', {}, el('code', {}, code), ` ${message}. ${fix}`),
          ),
        ),
  );
};

const trouble = (
  { ready, tracer, problems }: Status,
  lost: readonly string[],
  silence: number | undefined,
): string => {
  if (!ready) return `nothing is observed (the tracer is ${tracer.phase})`;
  return [
    ...(silence === undefined ? [] : [`no news for ${Math.round(silence)} s`]),
    ...lost,
    ...(problems.length === 0
      ? []
      : [problems.length === 1 ? 'one thing to mend' : `${problems.length} things to mend`]),
  ].join(', ');
};
