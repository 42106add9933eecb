/** What must be true of the host before anything is installed, and the one thing that is mounted. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { toolsFolder } from './paths.mjs';
import { CannotGoOn, say } from './report.mjs';

const oldestNode = [20, 19];
const tracefs = '/sys/kernel/tracing';

/** Throws unless this is Linux, root, and a Node that can run what is built here. */
export const requireHost = () => {
  if (process.platform !== 'linux') {
    throw new CannotGoOn(`this is ${process.platform}, and mmap_lock is a lock of Linux`, 'run it on Linux');
  }
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])) {
    throw new CannotGoOn(
      `Node ${process.versions.node} is too old`,
      `install Node ${oldestNode.join('.')} or later: https://nodejs.org/en/download`,
    );
  }
  if (process.getuid() !== 0) {
    throw new CannotGoOn(
      `user id ${process.getuid()} may not trace the kernel`,
      'run the same command as root, for example with sudo',
    );
  }
};

/**
 * Completes PATH for everything run from here: `su` without `-` leaves root without the folders that hold bpftool,
 * ldconfig and dpkg's helpers, and the tests look for the tools that were unpacked for them.
 */
export const extendPath = () => {
  const folders = (process.env.PATH ?? '').split(':').filter(Boolean);
  for (const folder of ['/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin', toolsFolder]) {
    if (!folders.includes(folder)) folders.push(folder);
  }
  process.env.PATH = folders.join(':');
};

const isMounted = () =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .some((line) => line.split(' ')[4] === tracefs);

/**
 * Mounts tracefs where it is missing. That is no reason to stop when it fails: the daemon runs without it and
 * says what it cannot see.
 */
export const mountTracefs = () => {
  if (isMounted()) return;
  const { status, stderr, error } = spawnSync('mount', ['-t', 'tracefs', 'nodev', tracefs]);
  if (status === 0) say(`mounted tracefs at ${tracefs}, where the kernel lists its tracepoints`);
  else say(`could not mount tracefs at ${tracefs}: ${error?.message ?? stderr.toString().trim()}`);
};
