/** Where bpf/ and the page lie. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));

/** The folder with bpf/ in it: beside the one file of an installed package, else two levels up from dist/src/package-root.js */
export const packageRoot = existsSync(path.join(here, 'bpf')) ? here : path.resolve(here, '../..');
