/** What a changed configuration means for a daemon that runs. */
import type { Config } from './schema.js';
import { settings } from './settings.js';

/** Settings that take effect at once; all others need a new start. */
const live: ReadonlySet<string> = new Set(['log.level']);

const valueAt = (config: Config, path: string): string =>
  JSON.stringify(
    path
      .split('.')
      .reduce<unknown>((value, key) => (value as Readonly<Record<string, unknown>>)[key], config),
  );

/** The settings that differ, by their paths: those that can be changed live, and those that need a new start. */
export const changedSettings = (
  before: Config,
  after: Config,
): { readonly live: readonly string[]; readonly restart: readonly string[] } => {
  const changed = [...settings.keys()].filter((path) => valueAt(before, path) !== valueAt(after, path));
  return {
    live: changed.filter((path) => live.has(path)),
    restart: changed.filter((path) => !live.has(path)),
  };
};
