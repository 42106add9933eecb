/**
 * promtool for the tests. Debian ships it inside the prometheus package, which also starts a server and pulls
 * in node-exporter: so the package is unpacked beside the build, and not installed.
 */
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { downloadPackage } from './apt.mjs';
import { toolsFolder } from './paths.mjs';
import { runLogged } from './run.mjs';

/** Puts promtool into the tools folder. Resolves to {ok, said} as runLogged does. */
export const extractPromtool = async () => {
  const scratch = join(toolsFolder, 'prometheus');
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  try {
    const download = await downloadPackage('prometheus', scratch);
    if (!download.ok) return download;
    const file = readdirSync(scratch).find((name) => name.endsWith('.deb'));
    const unpack = await runLogged('dpkg-deb', ['-x', join(scratch, file), scratch]);
    if (unpack.ok) renameSync(join(scratch, 'usr/bin/promtool'), join(toolsFolder, 'promtool'));
    return unpack;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
};
