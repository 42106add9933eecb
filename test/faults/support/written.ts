/** What a process and all it starts did to files, by strace; and a place where it can write to one directory alone. */
import { readFileSync } from 'node:fs';

/** System calls that open for writing, or that change what a directory holds. */
const calls = [
  ...['open', 'openat', 'openat2', 'creat', 'truncate', 'mkdir', 'mkdirat', 'mknod', 'mknodat'],
  ...[
    'rename',
    'renameat',
    'renameat2',
    'unlink',
    'unlinkat',
    'rmdir',
    'link',
    'linkat',
    'symlink',
    'symlinkat',
  ],
  ...['chmod', 'fchmodat', 'chown', 'fchownat', 'lchown', 'setxattr', 'utimensat', 'mount'],
];

/** What to put before a command, so that `file` tells of each such call. */
export const tracedTo = (file: string): readonly string[] => {
  // One that is not known on every machine is left out by strace where it has a question mark.
  const set = calls.map((name) => `?${name}`).join(',');
  return [
    'strace',
    '-f',
    '--seccomp-bpf',
    '-qqq',
    '-s',
    '4096',
    '-e',
    `trace=${set}`,
    '-e',
    'signal=none',
    '-o',
    file,
  ];
};

export interface Change {
  readonly call: string;
  readonly path: string;
  readonly line: string;
}

/** The calls of such a file that write or change, also those that failed; of `rename` and `link` both paths. */
export const changesIn = (file: string): Change[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, call = '', rest = ''] = /^\d+ +(\w+)\((.*)$/.exec(line) ?? [];
      const reads = /^(?:open|openat|openat2)$/.test(call) && !/O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/.test(rest);
      if (call === '' || reads) return [];
      return Array.from(rest.matchAll(/"((?:[^"\\]|\\.)*)"/g), ([, path = '']) => ({ call, path, line }));
    });

/** Binds the first argument on itself, makes all else read-only, and becomes the command that follows. */
const script = `
set -eu
mount --bind "$1" "$1"
cut -d' ' -f5 /proc/self/mountinfo | while read -r place; do mount -o remount,bind,ro "$place"; done
mount -o remount,bind,rw "$1"
shift
exec "$@"
`;

/** What to put before a command, so that it can write below one directory and nowhere else. */
export const writingOnlyTo = (directory: string): readonly string[] => [
  ...['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh'],
  directory,
];
