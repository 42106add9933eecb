/** The programs needed beside Node: which, why, and from which Debian or Ubuntu package. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { installPackages } from './apt.mjs';
import { installLog } from './paths.mjs';
import { extractPrometheus } from './prometheus.mjs';
import { CannotGoOn, say } from './report.mjs';

const isExecutable = (file) => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const onPath = (program) => process.env.PATH.split(':').some((folder) => isExecutable(join(folder, program)));

/** Ubuntu's bpftool and perf are wrappers that fail unless the tools of the running kernel are there too. */
const works = (program, argument) => spawnSync(program, [argument]).status === 0;

const isUbuntu = () =>
  existsSync('/etc/os-release') && /^ID(_LIKE)?=.*ubuntu/m.test(readFileSync('/etc/os-release', 'utf8'));

const kernelTools = (debianPackage) =>
  isUbuntu() ? ['linux-tools-common', `linux-tools-${release()}`] : [debianPackage];

const fromPackages = (...packages) => ({ packages, install: () => installPackages(packages) });

/** Without these the daemon cannot do its work. */
export const toolsToRun = [
  {
    name: 'bpftrace',
    why: 'traces the kernel',
    present: () => onPath('bpftrace'),
    ...fromPackages('bpftrace'),
    mend: 'install bpftrace 0.17 or later with your package manager',
  },
  {
    name: 'setpriv',
    why: 'ends the daemon and bpftrace together with their parent',
    present: () => onPath('setpriv'),
    ...fromPackages('util-linux'),
    mend: 'install setpriv (util-linux) with your package manager',
  },
  {
    name: 'mount',
    why: 'mounts tracefs',
    present: () => onPath('mount'),
    ...fromPackages('mount'),
    mend: 'install mount (util-linux) with your package manager',
  },
];

/** Without one of these the tests that use it are skipped, and say so. */
export const toolsToTest = [
  {
    name: 'cc',
    why: 'builds the test workload',
    present: () => onPath('cc') && existsSync('/usr/include/stdlib.h'),
    ...fromPackages('gcc', 'libc6-dev'),
    optional: true,
  },
  {
    name: 'bpftool',
    why: 'gives tests a second opinion on BTF and loaded programs',
    present: () => works('bpftool', 'version'),
    ...fromPackages(...kernelTools('bpftool')),
    optional: true,
  },
  {
    name: 'perf',
    why: 'gives tests a second opinion on lock waits',
    present: () => works('perf', '--version'),
    ...fromPackages(...kernelTools('linux-perf')),
    optional: true,
  },
  {
    name: 'ps',
    why: 'shows processes left behind',
    present: () => onPath('ps'),
    ...fromPackages('procps'),
    optional: true,
  },
  {
    name: 'ss',
    why: 'shows which sockets the daemon listens on',
    present: () => onPath('ss'),
    ...fromPackages('iproute2'),
    optional: true,
  },
  {
    name: 'strace',
    why: 'shows which files the daemon opens',
    present: () => onPath('strace'),
    ...fromPackages('strace'),
    optional: true,
  },
  {
    name: 'systemd-analyze',
    why: 'checks the unit and how far it is locked up',
    present: () => onPath('systemd-analyze'),
    ...fromPackages('systemd'),
    optional: true,
  },
  {
    name: 'prometheus',
    why: 'checks metrics, rules and alerts with its promtool, and scrapes the daemon',
    present: () => onPath('promtool') && onPath('prometheus'),
    packages: ['prometheus'],
    install: extractPrometheus,
    optional: true,
  },
];

/** Without these nobody looks at the page, or at a terminal. */
export const toolsToLook = [
  {
    name: 'chromium',
    why: 'shows the page to tests',
    present: () => onPath('chromium'),
    ...fromPackages('chromium'),
    optional: true,
  },
  {
    name: 'tmux',
    why: 'is the terminal in which tests look at top',
    present: () => onPath('tmux'),
    ...fromPackages('tmux'),
    optional: true,
  },
];

/** Without these no other kernel can be booted. */
export const toolsToBoot = [
  {
    name: 'qemu-system-x86_64',
    why: 'boots other kernels',
    present: () => onPath('qemu-system-x86_64'),
    ...fromPackages('qemu-system-x86'),
    mend: 'install qemu for x86-64 with your package manager',
  },
  {
    name: 'debootstrap',
    why: 'makes the root file systems of other kernels',
    present: () => onPath('debootstrap'),
    ...fromPackages('debootstrap'),
    mend: 'install debootstrap with your package manager',
  },
  {
    name: 'mke2fs',
    why: 'makes disks of them',
    present: () => onPath('mke2fs'),
    ...fromPackages('e2fsprogs'),
    mend: 'install mke2fs (e2fsprogs) with your package manager',
  },
  {
    name: 'cc',
    why: 'builds the test workload',
    present: () => onPath('cc') && existsSync('/usr/include/stdlib.h'),
    ...fromPackages('gcc', 'libc6-dev'),
    mend: 'install a C compiler and the headers of its library with your package manager',
  },
];

/** Without it the package is not held against Debian's policy. */
export const toolsToLint = [
  {
    name: 'lintian',
    why: "holds the package against Debian's policy",
    present: () => onPath('lintian'),
    ...fromPackages('lintian'),
    optional: true,
  },
];

const lastComplaint = (said) =>
  said.split('\n').findLast((line) => /^[EW]:|error|unable/i.test(line)) ?? said;

const installTool = async (tool) => {
  if (!onPath('apt-get')) return { ok: false, said: 'this host has no apt-get' };
  say(`installing ${tool.name} (${tool.packages.join(', ')} by apt-get): it ${tool.why}`);
  const result = await tool.install();
  if (!result.ok) process.stderr.write(`${result.said}\n`);
  return result.ok && !tool.present() ? { ok: false, said: `${tool.name} still does not run` } : result;
};

/** Installs the tools that are missing. Throws for one that is needed, names one that only tests miss. */
export const ensureTools = async (tools) => {
  for (const tool of tools) {
    if (tool.present()) continue;
    const { ok, said } = await installTool(tool);
    if (ok) continue;
    const reason = lastComplaint(said);
    if (tool.optional) {
      say(`no ${tool.name} (${reason}): tests that need it are skipped`);
      continue;
    }
    throw new CannotGoOn(
      `${tool.name} is missing: ${reason}`,
      `${tool.mend}, or let apt-get reach its server and run this again; all output is in ${installLog}`,
    );
  }
};
