/** The incidents that the page lists: all of them when it is opened, and from then on by events. No DOM, no network. */
import type { Incident, IncidentEvent } from './api.js';

export interface Listed {
  readonly id: string;
  readonly state: 'open' | 'closed';
  readonly sentence: string;
  readonly opened_at: string;
  readonly victim: string;
  readonly file: string | null;
  readonly readers: readonly string[];
}

/** As many as the page lists. */
export const mostListed = 50;

export const listedOf = ({ id, state, sentence, opened_at, victim, file, readers }: Incident): Listed => ({
  id,
  state,
  sentence,
  opened_at,
  victim: victim.name,
  file,
  readers: readers.map(({ name }) => name),
});

/** An event names the reader that is most to blame. */
export const listedOfEvent = ({ reader, ...event }: IncidentEvent): Listed => ({
  ...event,
  readers: reader === null ? [] : [reader],
});

/** Newest first; what is told anew takes the place of what was known of it. */
export const withNews = (known: readonly Listed[], news: readonly Listed[]): readonly Listed[] => {
  const told = new Map(news.map((incident) => [incident.id, incident]));
  return [...told.values(), ...known.filter(({ id }) => !told.has(id))]
    .sort((a, b) => Date.parse(b.opened_at) - Date.parse(a.opened_at))
    .slice(0, mostListed);
};
