/** Puts the page into dist/page, from where the daemon serves it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dist } from './bootstrap/paths.mjs';
import { bundlePage } from './page-bundle.mjs';

const folder = join(dist, 'page');

const { files } = await bundlePage();
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
