/** The files that are written from the sources: those of deploy/debian, and a small BTF. They are committed, so that a change of them is seen. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { loadSources } from './bundle.mjs';
import { lastEntry, readChangelog } from './changelog.mjs';
import { configManual } from './config-manual.mjs';
import { manPage } from './man-page.mjs';
import { debian, root } from './paths.mjs';

const wanted = `
  export { commands } from './src/cli/commands.js';
  export { accepted, settings } from './src/config/settings.js';
  export { cTypesBtf } from './src/kernel/c-types.js';
`;

const read = (path) => {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
};

/** Each with its `path`, the `text` (or bytes) that the sources give, and whether the file `isCurrent`. */
export const generatedFiles = async () => {
  const { commands, accepted, settings, cTypesBtf } = await loadSources(wanted);
  const files = [
    { path: join(debian, 'config.yaml'), text: configManual([...settings.values()], accepted) },
    { path: join(debian, 'mmaplockd.8'), text: manPage(commands, accepted, lastEntry(readChangelog())) },
    { path: join(root, 'bpf/lib/c-types.btf'), text: cTypesBtf() },
  ];
  return files.map((file) => ({
    ...file,
    isCurrent: read(file.path)?.equals(Buffer.from(file.text)) ?? false,
  }));
};

/** @returns names of the files that were written, counted from the project */
export const writeGeneratedFiles = async () => {
  const files = (await generatedFiles()).filter(({ isCurrent }) => !isCurrent);
  for (const { path, text } of files) writeFileSync(path, text);
  return files.map(({ path }) => relative(root, path));
};
