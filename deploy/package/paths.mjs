/** Where packaging finds and leaves things; all it leaves is below dist/, but for generated files. */
import { join } from 'node:path';
import { dist, root } from '../bootstrap/paths.mjs';

export { dist, root };

/** What Debian wants to know of the package: control fields, scripts, changelog. */
export const debian = join(root, 'deploy', 'debian');

/** The archives of Node, kept: they are large. */
export const downloads = join(dist, 'node-runtime');

/** Where packages are laid out before they are packed. */
export const work = join(dist, 'package');

/** Where packages go, unless --out names another folder. */
export const packages = join(dist, 'packages');
