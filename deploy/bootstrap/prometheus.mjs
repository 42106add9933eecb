/**
 * Prometheus and promtool for the tests. Debian's package also starts a server and pulls in node-exporter: so it is
 * unpacked beside the build, and not installed.
 */
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { downloadPackage } from './apt.mjs';
import { toolsFolder } from './paths.mjs';
import { runLogged } from './run.mjs';

const programs = ['promtool', 'prometheus'];

/** Puts both into the tools folder. Resolves to {ok, said} as runLogged does. */
export const extractPrometheus = async () => {
  const scratch = join(toolsFolder, 'unpacked');
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  try {
    const download = await downloadPackage('prometheus', scratch);
    if (!download.ok) return download;
    const file = readdirSync(scratch).find((name) => name.endsWith('.deb'));
    const unpack = await runLogged('dpkg-deb', ['-x', join(scratch, file), scratch]);
    if (unpack.ok)
      for (const name of programs) renameSync(join(scratch, 'usr/bin', name), join(toolsFolder, name));
    return unpack;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
};
