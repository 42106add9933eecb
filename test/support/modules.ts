/** Modules in plain JavaScript, which are not compiled with the tests: those of deploy/ and of the runners of tests. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { packageRoot } from '../../src/package-root.js';

const require = createRequire(import.meta.url);

/**
 * Loads one by its path from the root of the project, at once: no test module may await anything at its top level, see
 * deploy/bootstrap/tests/pools.mjs.
 */
export const loadModule = (file: string): unknown => require(path.join(packageRoot, file));
