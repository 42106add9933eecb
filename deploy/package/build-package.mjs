/** From the sources to packages. */
import { readFileSync } from 'node:fs';
import { bundleAll } from './bundle.mjs';
import { lastEntry, readChangelog, sourceDate } from './changelog.mjs';
import { copyright } from './copyright.mjs';
import { makePackage } from './deb.mjs';
import { generatedFiles } from './generated.mjs';
import { obtainNode } from './node-runtime.mjs';
import { packageTree } from './tree.mjs';

/**
 * @param architectures by Debian's names
 * @param out the folder they go to
 * @param compression `released` or `fast`, see deb.mjs
 * @returns their paths
 */
export const buildPackages = async (architectures, out, compression) => {
  const entry = lastEntry(readChangelog());
  const bundle = await bundleAll();
  const [configuration, manPage] = (await generatedFiles()).map(({ text }) => text);
  const packages = [];
  for (const architecture of architectures) {
    const node = await obtainNode(architecture);
    const files = packageTree({
      program: bundle.program,
      page: bundle.page,
      node: node.program,
      copyright: copyright(bundle, readFileSync(node.licence, 'utf8')),
      configuration,
      manPage,
    });
    const about = { version: entry.version, architecture, seconds: sourceDate(entry) };
    packages.push(await makePackage(files, about, out, compression));
  }
  return packages;
};
