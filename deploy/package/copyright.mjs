/** /usr/share/doc/mmaplockd/copyright: the licences of all that is in the package, word by word. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeRuntime } from './node-runtime.mjs';
import { root } from './paths.mjs';

const rule = '-'.repeat(80);

/** A package without a file of its licence names it, and for a reader nothing else is to be had. */
const licenceOf = (folder) => {
  const file = readdirSync(join(root, folder)).find((name) => /^licen[cs]e/i.test(name));
  const { name, version, license, author } = JSON.parse(
    readFileSync(join(root, folder, 'package.json'), 'utf8'),
  );
  const text = file === undefined ? '' : readFileSync(join(root, folder, file), 'utf8').trim();
  const who = author?.name ?? author;
  const named = `Licence: ${license}${who === undefined ? '' : `. Author: ${who}`}`;
  return `${name} ${version}\n\n${text || named}`;
};

/**
 * @param packages folders of the npm packages in the bundle, counted from the project
 * @param notices comments with licences from within their sources
 * @param nodeLicence the text that came with Node
 */
export const copyright = ({ packages, notices }, nodeLicence) => {
  const own = [
    'mmaplockd is under the Apache License, Version 2.0; on Debian systems its text is in',
    '/usr/share/common-licenses/Apache-2.0.',
    '',
    'Copyright: the authors of mmaplockd',
    '',
    `/usr/lib/mmaplockd/mmaplockd.mjs also holds the ${packages.length} npm packages that follow, and`,
    `/usr/lib/mmaplockd/node is Node.js ${nodeRuntime.version} as its makers publish it. Their licences follow.`,
  ].join('\n');
  const parts = [
    own,
    ...packages.map(licenceOf),
    `From the sources of these packages\n\n${notices.trim()}`,
    `Node.js ${nodeRuntime.version}\n\n${nodeLicence.trim()}`,
  ];
  return `${parts.join(`\n\n${rule}\n`)}\n`;
};
