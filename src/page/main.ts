/** The page, from its opening on: what it knows, what it asks, and what it shows when something has changed. */

import type { Column } from '../api/column-rows.js';
import type { History } from '../api/history.js';
import { get, type Incident, type IncidentDetail, type IncidentEvent, type Status } from './api.js';
import { byId, el, replace, sentence } from './dom.js';
import { showFiles } from './files.js';
import { hashOf, type Shown, shownOf, usualWindow } from './filter.js';
import { showHealth } from './health.js';
import { Heatmap } from './heatmap.js';
import { type Listed, listedOf, listedOfEvent, mostListed, withNews } from './incident-list.js';
import { showIncidents } from './incidents.js';
import { Live, liveText } from './live.js';
import { showMatrix } from './matrix.js';
import { type Filter, Model } from './model.js';
import { recorded } from './recorded.js';
import { WaitsChart } from './waits-chart.js';

const recording = recorded();
const model = new Model();
let status: Status | undefined;
let incidents: readonly Listed[] = [];
let detail: IncidentDetail | undefined;
let shown: Shown = shownOf(location.hash);
let lastNewsAt: number | undefined;

const waits = new WaitsChart(byId('waits'));
const heatmap = new Heatmap(byId('heatmap'));

const keptSeconds = usualWindow;
/** What does not come by the stream: losses, cost, and how an incident goes on. That nothing is observed does come by it. */
const statusMilliseconds = 30_000;

/** Seconds of which pictures are. */
const span = (): number => recording?.seconds ?? shown.window;

const showSentence = (text: string): void => {
  const place = byId('sentence');
  // A screen reader says it again when it is written again.
  if (place.dataset.said !== text) place.replaceChildren(...sentence(text));
  place.dataset.said = text;
};

const change = (changed: Partial<Shown>): void => {
  shown = { ...shown, ...changed };
  const hash = hashOf(shown);
  history.replaceState(null, '', hash === '' ? location.pathname : `#${hash}`);
  render();
  void loadDetail();
};

const showFilter = (): void => {
  const { reader, victim, file } = shown;
  const named = [
    ['reader', reader],
    ['victim', victim],
    ['file', file],
  ] as const;
  const chosen = named.flatMap(([key, name]) =>
    name === undefined
      ? []
      : [
          el(
            'button',
            {
              type: 'button',
              class: 'chosen',
              'data-key': `chosen ${key}`,
              'aria-label': `show every ${key} again`,
              click: () => change({ [key]: undefined }),
            },
            `${key} ${name} ✕`,
          ),
        ],
  );
  replace(byId('filter'), ...chosen);
};

const unobservedBlocks = (): string | undefined => {
  const blocks = status?.observables.find(({ what }) => what === 'blocks');
  return blocks === undefined || blocks.observed
    ? undefined
    : `Not observed on this host: ${blocks.reason?.detail ?? 'the reason is not known'}`;
};

/** Shows everything anew, once before the next picture of the screen. */
let due = false;
const render = (): void => {
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    const onFilter = (filter: Filter): void => change(filter);
    showFilter();
    byId<HTMLSelectElement>('window').value = String(shown.window);
    const matrix = model.matrix(span(), shown);
    showMatrix(byId('matrix'), matrix, { filter: shown, onFilter, unobserved: unobservedBlocks() });
    byId('waits-hint').textContent = waits.show(model, span(), shown);
    heatmap.show(model, span());
    showFiles(byId('files'), status?.lock_paths ?? [], model.files(span()), {
      filter: shown,
      onFilter,
      observed: matrix.observed,
    });
    showIncidents(byId('incidents'), incidents, {
      filter: shown,
      open: shown.incident,
      detail,
      onOpen: (incident) => change({ incident }),
    });
    showHealth(
      byId('health'),
      status,
      lastNewsAt === undefined ? undefined : (performance.now() - lastNewsAt) / 1000,
    );
  });
};

const loadHistory = async (): Promise<void> => {
  const told = await get<History>('/api/v1/history');
  model.load(told);
  showSentence(told.sentence);
  render();
};

const loadStatus = async (): Promise<void> => {
  status = await get<Status>('/api/v1/status');
  model.unobservedTo(status.ready ? 0 : Date.now(), keptSeconds);
  render();
};

const loadIncidents = async (): Promise<void> => {
  incidents = (await get<{ data: Incident[] }>(`/api/v1/incidents?limit=${mostListed}`)).data.map(listedOf);
  render();
};

/** One that goes on grows without an event. */
const loadOpenIncidents = async (): Promise<void> => {
  if (!incidents.some(({ state }) => state === 'open')) return;
  const { data } = await get<{ data: Incident[] }>(`/api/v1/incidents?state=open&limit=${mostListed}`);
  incidents = withNews(incidents, data.map(listedOf));
  render();
};

const loadDetail = async (): Promise<void> => {
  const id = shown.incident;
  if (id === undefined || detail?.id === id) return;
  if (recording !== undefined) detail = recording.incidents.find((incident) => incident.id === id);
  else
    detail = await get<IncidentDetail>(`/api/v1/incidents/${encodeURIComponent(id)}`).catch(
      (error: Error) => {
        byId('live').textContent = error.message;
        return undefined;
      },
    );
  render();
};

/** What cannot be had now is tried again with the next round. */
const load = async (): Promise<void> => {
  await Promise.allSettled([loadStatus(), loadHistory(), loadIncidents(), loadDetail()]);
};

const watch = (): void => {
  const live = new Live({
    onStart: () => void load(),
    onEvent: (type, data) => {
      lastNewsAt = performance.now();
      if (type === 'incident') {
        const incident = listedOfEvent(data as IncidentEvent);
        incidents = withNews(incidents, [incident]);
        if (detail?.id === incident.id) detail = undefined;
        render();
        void loadDetail();
        return;
      }
      const {
        sentence: said,
        column,
        observing,
      } = data as {
        sentence: string;
        observing: boolean;
        column: Column | null;
      };
      showSentence(said);
      if (observing !== status?.ready) void loadStatus().catch(() => {});
      if (column !== null && !model.put(column, keptSeconds)) {
        void loadHistory().catch(() => {});
        void loadIncidents().catch(() => {});
      }
      render();
    },
    onState: (state) => {
      const place = byId('live');
      place.textContent = liveText[state];
      place.className = state;
      if (state !== 'live') lastNewsAt = undefined;
    },
  });
  byId('pause').addEventListener('click', () => {
    live.pause(!live.paused);
    byId('pause').setAttribute('aria-pressed', String(live.paused));
    byId('pause').textContent = live.paused ? 'Go on' : 'Pause';
  });
  const again = (): void => {
    window.setTimeout(() => {
      if (document.hidden || live.paused) return again();
      void Promise.allSettled([loadStatus(), loadOpenIncidents()]).then(again);
    }, statusMilliseconds);
  };
  again();
  live.start();
};

byId('window').addEventListener('change', (event) =>
  change({ window: Number((event.target as HTMLSelectElement).value) }),
);
window.addEventListener('hashchange', () => {
  shown = shownOf(location.hash);
  render();
  void loadDetail();
});

if (recording === undefined) watch();
else {
  // It is over: nothing of it goes on, and it is shown whole.
  for (const id of ['pause', 'window-label', 'live']) byId(id).hidden = true;
  showSentence(recording.history.sentence);
  model.load(recording.history);
  status = recording.status;
  incidents = recording.incidents.map(listedOf);
  render();
  void loadDetail();
}
