/** A cgroup of a name that disturbs. The kernel refuses a newline there, and nothing else (cgroup_mkdir()). */
import { accessSync, constants, existsSync } from 'node:fs';

/** Where cgroup2 is mounted: alone, or beside the controllers of v1. */
const hierarchy = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find((root) =>
  existsSync(`${root}/cgroup.procs`),
);

export const hostileCgroup = {
  directory: `${hierarchy}/mm "a,b\x1b[31m{}<b>\\\u202e.service`,
  shown: 'mm "a,b\\x1b[31m{}<b>\\\\xe2\\x80\\xae.service',
  /** False when it can be made here, else the reason to skip. */
  lacking: (): false | string => {
    if (hierarchy === undefined) return 'no cgroup2 is mounted';
    try {
      accessSync(hierarchy, constants.W_OK);
      return false;
    } catch {
      return 'cgroup2 is not writable here';
    }
  },
};
