/**
 * Where the bootstrap finds and leaves things. Everything it leaves is under node_modules/ or dist/, but for the
 * disks that `npm run test:kernels` makes: those outlive a clone, in the folder that test/roots/cache.mjs names.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const dist = join(root, 'dist');
export const main = join(dist, 'src', 'main.js');

/** Programs that only tests use and that no package installs for us. */
export const toolsFolder = join(dist, 'tools');

/** What apt-get, npm and tsc said; shown only when one of them fails. */
export const installLog = join(dist, 'bootstrap.log');
