/**
 * Runs commands in the bare host: a mount namespace of its own with the root as its root directory, fresh proc
 * and sysfs, and devices made for it. Its mounts are gone with its last process.
 *
 * It has the PID namespace of this host, as a real host would: a tracer sees PIDs of the initial namespace, so in
 * another one the daemon could not match them with /proc.
 */
import { spawn } from 'node:child_process';
import { accessSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { networkEnvironment } from '../roots/network.mjs';

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * tracefs is left out on purpose: mounting it is the project's work. The root is a mount and is pivoted to, for in a
 * mere chroot no user namespace can be made and the propagation of / cannot be set, as tests do.
 */
const mountAll = `
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 666 dev/tty c 5 0
mknod -m 666 dev/fuse c 10 229
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
mkdir .outside
pivot_root . .outside
umount -l /.outside
rmdir /.outside
echo mounted
exec chroot . cat
`;

const ended = (child) =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal));
  });

/** Resolves to what the promise gives, or to a word when it takes too long. */
const within = (promise, milliseconds) => {
  let timer;
  const tooLate = new Promise((resolve) => {
    timer = setTimeout(resolve, milliseconds, `nothing within ${milliseconds / 1000} s`);
  });
  return Promise.race([promise, tooLate]).finally(() => clearTimeout(timer));
};

/** The process that keeps the namespace: `cat`, which ends when our end of its pipe is closed, even by a crash. */
const startKeeper = async (root) => {
  const keeper = spawn('unshare', ['--mount', 'sh', '-ec', mountAll, 'sh', root], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let complaint = '';
  keeper.stderr.on('data', (chunk) => {
    complaint += chunk;
  });
  const end = ended(keeper);
  const mounted = new Promise((resolve) => keeper.stdout.once('data', () => resolve('mounted')));
  if ((await Promise.race([mounted, end])) !== 'mounted')
    throw new Error(`no namespace: ${complaint.trim()}`);
  return { keeper, end };
};

const processesIn = (root) => {
  const { dev, ino } = statSync(root);
  const isInside = (pid) => {
    try {
      const theirs = statSync(`/proc/${pid}/root/`);
      return theirs.dev === dev && theirs.ino === ino;
    } catch {
      return false; // gone meanwhile, or a zombie
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter(isInside);
};

const describe = (pid) => {
  try {
    return `${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()}`;
  } catch {
    return `${pid}`;
  }
};

/** Opens the bare host whose file system is the given root. Close it before the root is deleted. */
export const openHost = async (root) => {
  const { keeper, end } = await startKeeper(root);
  const environment = { PATH: path, HOME: '/root', LANG: 'C.UTF-8', ...networkEnvironment() };
  const strayPids = () => processesIn(root).filter((pid) => pid !== keeper.pid);

  return {
    /** Starts a command in /src with its output in a log file. */
    run(command, logFile) {
      const log = openSync(logFile, 'w');
      const enter = ['--pdeathsig', 'KILL', 'nsenter', '--target', `${keeper.pid}`, '--mount', '--root'];
      const child = spawn('setpriv', [...enter, 'env', '--chdir=/src', ...command], {
        env: environment,
        stdio: ['ignore', log, log],
      });
      let over = false;
      const status = ended(child).finally(() => {
        over = true;
      });
      return {
        hasEnded: () => over,
        /** Resolves to the exit code or signal, or to a complaint when that takes too long. */
        end: (milliseconds) => within(status, milliseconds),
        stop(signal, milliseconds) {
          child.kill(signal);
          return within(status, milliseconds);
        },
      };
    },

    /** Which of the programs the host holds. */
    programs: (names) =>
      names.filter((name) =>
        path.split(':').some((folder) => {
          try {
            accessSync(join(root, folder, name));
            return true;
          } catch {
            return false;
          }
        }),
      ),

    /** Processes of the host that run now, for people to read. */
    strays: () => strayPids().map(describe),

    endStrays() {
      for (const pid of strayPids()) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch (error) {
          if (error.code !== 'ESRCH') throw error;
        }
      }
    },

    close() {
      keeper.stdin.end();
      return end;
    },
  };
};
