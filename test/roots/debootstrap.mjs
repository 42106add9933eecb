/** Makes root file systems of Debian and Ubuntu. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.mjs';

const scripts = '/usr/share/debootstrap/scripts';

/** An old debootstrap has no script of a newer release; that of sid has made all of them since 2005. */
const scriptOf = (suite) => (existsSync(join(scripts, suite)) ? [] : [join(scripts, 'sid')]);

/** In a mount namespace of its own: what debootstrap mounts while it works is gone with it, whatever happens. */
export const debootstrap = ({ suite, components, mirror }, target) =>
  run('unshare', [
    '--mount',
    'debootstrap',
    '--variant=minbase',
    `--components=${components.join(',')}`,
    suite,
    target,
    mirror,
    ...scriptOf(suite),
  ]);
