/** Runs a program in a root, with proc and sysfs mounted for it alone. */
import { run } from './command.mjs';
import { networkEnvironment } from './network.mjs';

/**
 * The mounts are in a namespace of their own and end with it. /dev is what debootstrap made: that of this host is
 * never bound there, for who deletes the root would empty it.
 */
const enter = `
root=$1
shift
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
exec chroot "$root" "$@"
`;

export const runInRoot = (root, command, args) =>
  run('unshare', ['--mount', 'sh', '-ec', enter, 'sh', root, command, ...args], {
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: '/root',
      LANG: 'C.UTF-8',
      DEBIAN_FRONTEND: 'noninteractive',
      ...networkEnvironment(),
    },
  });
