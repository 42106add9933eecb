/** What an administrator types, and the files that tell what came of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { execa } from 'execa';

export interface Ran {
  readonly ok: boolean;
  /** Both streams, for a person to read. */
  readonly said: string;
}

/** Runs a command to its end, whatever its end is. */
export const run = async (file: string, ...args: readonly string[]): Promise<Ran> => {
  const { failed, all } = await execa(file, args, { all: true, reject: false, stdin: 'ignore' });
  return { ok: !failed, said: all };
};

/** apt as on a host without a network: what a package needs is there already. */
export const apt = (...args: readonly string[]): Promise<Ran> =>
  run('apt-get', '-y', '-o', 'APT::Sandbox::User=root', ...args);

export const systemctl = (...args: readonly string[]): Promise<Ran> => run('systemctl', ...args);

/** One property of the unit, as `systemctl show` tells it. */
export const property = async (name: string, unit = 'mmaplockd.service'): Promise<string> =>
  (await systemctl('show', '--property', name, '--value', unit)).said.trim();

/** Processes by name of the program, zombies left out. */
export const pidsOf = (comm: string): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
        return stat.includes(`(${comm})`) && !/\) [ZX] /.test(stat);
      } catch {
        return false;
      }
    })
    .map(Number);

/** All paths of the root file system with the name of the package in them. */
export const traces = async (): Promise<string[]> => {
  const found = await run(
    'find',
    '/',
    '-xdev',
    '-path',
    '/mmaplockd',
    '-prune',
    '-o',
    '-iname',
    '*mmaplock*',
    '-print',
  );
  // What the image brought for these tests.
  const ours = /^\/(sbin|usr\/sbin|etc\/systemd\/system)\/mmaplockd-guest/;
  return found.said.split('\n').filter((path) => path !== '' && !ours.test(path));
};
