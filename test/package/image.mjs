/** The disk of the guest in which the package is installed: that of a release with systemd as its first process. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { guestImage } from '../kernels/root-image.mjs';

export const systemd = '/lib/systemd/systemd';

const start = readFileSync(join(dirname(fileURLToPath(import.meta.url)), 'start.sh'), 'utf8');

/** Started once the guest is up, as an administrator who has logged in. It belongs to no other unit. */
const unit = `[Unit]
Description=The tests of the package
After=multi-user.target

[Service]
Type=exec
ExecStart=/sbin/mmaplockd-guest
StandardOutput=journal+console
TimeoutStopSec=5

[Install]
WantedBy=graphical.target
`;

/** Jobs that would run beside the tests. */
const masked = ['apt-daily.timer', 'apt-daily-upgrade.timer', 'dpkg-db-backup.timer', 'e2scrub_all.timer'];

/** @returns the image, kernel and initrd, made first where the recipe is new */
export const systemdImage = (suite, print) => {
  const files = [
    { path: 'sbin/mmaplockd-guest', text: start, mode: 0o755 },
    { path: 'etc/systemd/system/mmaplockd-guest.service', text: unit, mode: 0o644 },
    // graphical.target is what a guest boots into; it wants multi-user.target.
    {
      path: 'etc/systemd/system/graphical.target.d/guest.conf',
      text: '[Unit]\nWants=mmaplockd-guest.service\n',
      mode: 0o644,
    },
    ...masked.map((name) => ({ path: `etc/systemd/system/${name}`, text: '', mode: 0o644 })),
  ];
  const options = {
    ...{ name: `systemd-${suite}`, suite, files },
    packages: ['linux-image-cloud-amd64', 'systemd', 'systemd-sysv', 'adduser'],
    more: { files },
  };
  return guestImage(options, print);
};
