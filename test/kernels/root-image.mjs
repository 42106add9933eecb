/** The disk of a guest, and Debian's kernel for it: a root file system with all that the tests call, in an image. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configureApt, packageSources } from '../roots/apt.mjs';
import { cached, removeRoot } from '../roots/cache.mjs';
import { runInRoot } from '../roots/chroot.mjs';
import { run } from '../roots/command.mjs';
import { debootstrap } from '../roots/debootstrap.mjs';

const init = join(dirname(fileURLToPath(import.meta.url)), 'init.sh');

/** Node is that of this host, which needs libstdc++. mountpoint, setpriv and taskset are in util-linux. */
const programs = [
  'bpftrace',
  'linux-perf',
  'procps',
  'util-linux',
  'mount',
  'kmod',
  'iproute2',
  'libstdc++6',
];
const forKernel = ['initramfs-tools', 'zstd'];

/** Sparse; a root fills less than half of it. */
const imageSize = '2G';

/** Files that only cost time: to write, to copy into the image. dpkg need not wait for the disk in a cache either. */
const dpkgOptions = `force-unsafe-io
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
path-exclude=/usr/share/man/*
`;

/** The Release files of a mirror of a fixed date, and those of a release in the making, can be past their time. */
const aptOptions = [
  'Acquire::Check-Valid-Until "false";',
  'APT::Install-Recommends "false";',
  'Acquire::Languages "none";',
];

/** What the initrd must hold to reach the disk: a list, since in a chroot there is no disk to be found. */
const initrdFiles = {
  'etc/initramfs-tools/conf.d/guest': 'MODULES=list\n',
  'etc/initramfs-tools/hooks/guest': `#!/bin/sh
[ "$1" = prereqs ] && exit
. /usr/share/initramfs-tools/hook-functions
manual_add_modules virtio_pci virtio_blk ext4
`,
};

const writeInto = (root, files, mode) => {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
    chmodSync(join(root, path), mode);
  }
};

const install = async (root, sources, packages) => {
  writeInto(root, initrdFiles, 0o755);
  // Nothing that is installed may start a service on this host.
  writeInto(root, { 'usr/sbin/policy-rc.d': '#!/bin/sh\nexit 101\n' }, 0o755);
  configureApt(root, sources, aptOptions);
  await runInRoot(root, 'apt-get', ['update']);
  await runInRoot(root, 'apt-get', ['install', '-y', ...packages]);
  await runInRoot(root, 'apt-get', ['clean']);
  await run('sh', ['-c', 'rm -rf "$1"/var/lib/apt/lists/*', 'sh', root]);
};

/** The one kernel of the root leaves it: the emulator loads it from outside. */
const moveKernel = (root, folder) => {
  const boot = join(root, 'boot');
  for (const [prefix, name] of [
    ['vmlinuz-', 'vmlinuz'],
    ['initrd.img-', 'initrd'],
  ]) {
    const files = readdirSync(boot).filter((file) => file.startsWith(prefix));
    if (files.length !== 1) throw new Error(`${boot} holds ${files.length} files ${prefix}*`);
    renameSync(join(boot, files[0]), join(folder, name));
  }
};

/** Without mounts and loop devices: mke2fs copies the root itself. A journal would be of no use. */
const makeImage = (root, image) =>
  run('mke2fs', ['-q', '-t', 'ext4', '-O', '^has_journal', '-d', root, '-F', image, imageSize]);

const make = async (folder, { sources, packages, files }) => {
  const root = join(folder, 'root');
  writeInto(root, { 'etc/dpkg/dpkg.cfg.d/guest': dpkgOptions }, 0o644); // first, so that debootstrap heeds it
  await debootstrap(sources, root);
  await install(root, sources, packages);
  moveKernel(root, folder);
  mkdirSync(join(root, 'mmaplockd'));
  for (const { path, text, mode } of files) writeInto(root, { [path]: text }, mode);
  await makeImage(root, join(folder, 'root.img'));
  await removeRoot(root);
};

/**
 * An image with more in it than every guest needs, and the kernel in it, made first where the recipe is new. Raise
 * `version` to have the newest packages.
 * @param options `name` in the cache; `suite`; a release that packages come `from` besides; `packages` besides those of every guest, the kernel among them; `files`
 *   to write, each with path, text and mode; `more` for the recipe
 * @returns {Promise<{image: string, kernel: string, initrd: string}>}
 */
export const guestImage = async ({ name, suite, from, packages: wanted, files, more }, print) => {
  const components = ['main'];
  const sources = packageSources({ origin: 'Debian', suite, components });
  // The same mirror holds the other release.
  if (from !== undefined) sources.lines.push(`deb ${sources.mirror} ${from} main`);
  const packages = [...programs, ...forKernel, ...wanted];
  const { mirror } = sources;
  const recipe = {
    version: 1,
    ...{ suite, components, mirror, packages, imageSize, dpkgOptions, initrdFiles },
    ...more,
  };
  const folder = await cached(name, recipe, async (partial) => {
    const began = performance.now();
    print(`making a root of ${suite} with ${packages.join(', ')}`);
    await make(partial, { sources, packages, files });
    print(`made it in ${Math.round((performance.now() - began) / 1000)} s`);
  });
  return {
    image: join(folder, 'root.img'),
    kernel: join(folder, 'vmlinuz'),
    initrd: join(folder, 'initrd'),
  };
};

/** The image of a release and the kernel in it, whose first process runs the payload. */
export const rootImage = (suite, { package: kernel, from }, print) => {
  const text = readFileSync(init, 'utf8');
  const options = {
    name: from === undefined ? `guest-${suite}` : `guest-${suite}-${from}`,
    suite,
    from,
    packages: [from === undefined ? kernel : `${kernel}/${from}`],
    more: { init: text },
    files: [{ path: 'sbin/mmaplockd-guest', text, mode: 0o755 }],
  };
  return guestImage(options, print);
};
