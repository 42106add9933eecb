/**
 * The dashboards, made of the files beside this one. `node deploy/grafana/generate.mjs` writes them into dashboards/;
 * they are committed, and a test compares.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { fleet } from './fleet.mjs';
import { host } from './host.mjs';

/** Where they are committed. */
export const folder = fileURLToPath(new URL('dashboards', import.meta.url));

/**
 * The text of each dashboard by the name of its file: the same text each time.
 * @returns {Map<string, string>}
 */
export const dashboards = () =>
  new Map([
    ['fleet.json', `${JSON.stringify(fleet(), null, 2)}\n`],
    ['host.json', `${JSON.stringify(host(), null, 2)}\n`],
  ]);

if (argv[1] === fileURLToPath(import.meta.url))
  for (const [name, text] of dashboards()) writeFileSync(join(folder, name), text);
