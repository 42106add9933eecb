/** Where the page lies, which deploy/page.mjs has made of src/page. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../package-root.js';

export interface PageFile {
  /** At which it is served. */
  readonly path: string;
  readonly type: string;
  readonly text: string;
}

export interface Page {
  /** With `{{name}}` where a text of the daemon is to stand. */
  readonly html: string;
  readonly files: readonly PageFile[];
}

/** In a package beside the program. */
const beside = path.join(packageRoot, 'page');
const folder = existsSync(beside) ? beside : path.join(packageRoot, 'dist/page');

const served = [
  ['page.js', 'text/javascript; charset=utf-8'],
  ['page.css', 'text/css; charset=utf-8'],
  ['icon.svg', 'image/svg+xml'],
] as const;

/** Where it was not built: that, and what there is without it. */
const withoutPage =
  '<!doctype html><html lang="en"><title>mmaplockd</title><p>{{sentence}}</p><p>The page was not built: run ' +
  '<code>npm run build</code>. <a href="/api/v1/blocks">/api/v1/blocks</a>, <a href="/openapi.json">the API</a></p></html>\n';

/** @throws Error where a part of it lacks */
export const readPage = (): Page => {
  const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8');
  try {
    return {
      html: read('index.html'),
      files: served.map(([name, type]) => ({ path: `/${name}`, type, text: read(name) })),
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return { html: withoutPage, files: [] };
  }
};
