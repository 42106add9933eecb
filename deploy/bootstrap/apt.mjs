/** Debian packages through apt-get, without questions and without starting or restarting services. */
import { runLogged } from './run.mjs';

const options = ['-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300'];
const env = {
  DEBIAN_FRONTEND: 'noninteractive',
  // Ubuntu's needrestart would otherwise restart services of the host after an installation.
  NEEDRESTART_SUSPEND: '1',
};

let updated;

/**
 * Refreshes the package lists once a run. A failure is not the end: one broken source of many makes
 * `apt-get update` fail although the package at hand is still to be had.
 */
const updateLists = () => {
  updated ??= runLogged('apt-get', ['update'], { env });
  return updated;
};

/** Installs packages. On failure `said` also holds what `apt-get update` complained about. */
export const installPackages = async (packages) => {
  const update = await updateLists();
  const install = await runLogged('apt-get', ['install', ...options, ...packages], { env });
  return { ok: install.ok, said: update.ok ? install.said : `${update.said}\n${install.said}` };
};

/** Downloads a package file into a folder without installing it. */
export const downloadPackage = async (name, folder) => {
  await updateLists();
  return runLogged('apt-get', ['download', name], { env, cwd: folder });
};
