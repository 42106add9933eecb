/** What is shown, kept in the address of the page, so that a link shows others the same. */
import type { Filter } from './model.js';

export interface Shown extends Filter {
  /** Seconds. */
  readonly window: number;
  /** Id of the incident that is open. */
  readonly incident?: string | undefined;
}

export const windows = [60, 300, 900] as const;
export const usualWindow = 900;

/** What the part of an address after `#` says; what it does not know it leaves out. */
export const shownOf = (hash: string): Shown => {
  const said = new URLSearchParams(hash.replace(/^#/, ''));
  const window = Number(said.get('window'));
  return {
    reader: said.get('reader') ?? undefined,
    victim: said.get('victim') ?? undefined,
    file: said.get('file') ?? undefined,
    incident: said.get('incident') ?? undefined,
    window: (windows as readonly number[]).includes(window) ? window : usualWindow,
  };
};

/** The other way round; empty for what is shown at first. */
export const hashOf = ({ window, ...names }: Shown): string => {
  const said = new URLSearchParams();
  for (const [key, value] of Object.entries(names)) if (value !== undefined) said.set(key, value);
  if (window !== usualWindow) said.set('window', String(window));
  return said.toString();
};
