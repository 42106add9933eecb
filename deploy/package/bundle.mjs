/** The daemon with all its npm packages in one file, and single modules of src for generators: both by esbuild. */
import { build } from 'esbuild';
import { bundlePage } from '../page-bundle.mjs';
import { root } from './paths.mjs';

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  write: false,
  logLevel: 'warning',
};

/** Packages of CommonJS ask for modules of Node by require(), which no ES module has. */
const withRequire =
  "import { createRequire as createBundleRequire } from 'node:module';\n" +
  'const require = createBundleRequire(import.meta.url);';

const packageOf = (file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];

/** Folders of the npm packages that some files are of, counted from the project. */
const packagesOf = (files) =>
  [...new Set(files.map(packageOf))].filter((folder) => folder !== undefined).sort();

/**
 * Without spaces and in short syntax, for Node keeps the text: 9 MB less resident. Names and lines stay, for a stack in a
 * report shall be readable.
 * @returns `text` of the program; `notices`: comments with licences that were in its sources; `inputs`: the files it
 * was made of
 */
const bundleDaemon = async () => {
  const { outputFiles, metafile } = await build({
    ...common,
    entryPoints: ['src/main.ts'],
    outfile: 'mmaplockd.mjs',
    banner: { js: withRequire },
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    legalComments: 'external',
    metafile: true,
  });
  const ending = (end) => outputFiles.find(({ path }) => path.endsWith(end))?.text ?? '';
  return {
    // It is run by the wrapper, with the Node beside it.
    text: ending('mmaplockd.mjs').replace(/^#!.*\n/, ''),
    notices: ending('.LEGAL.txt'),
    inputs: Object.keys(metafile.inputs),
  };
};

/** What the sources export, without a build: `loadSources("export { version } from './src/config/version.js'")`. */
export const loadSources = async (code) => {
  const stdin = { contents: code, resolveDir: root, sourcefile: 'generator.ts', loader: 'ts' };
  const { outputFiles } = await build({ ...common, stdin });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`);
};

/**
 * @returns what is made of the sources: `program`, its text, and `page`, texts by file name; of both together `notices`,
 * and `packages`: the folders of the npm packages in them, counted from the project
 */
export const bundleAll = async () => {
  const [daemon, page] = [await bundleDaemon(), await bundlePage()];
  return {
    program: daemon.text,
    page: page.files,
    notices: `${daemon.notices.trim()}\n${page.notices.trim()}`,
    packages: packagesOf([...daemon.inputs, ...page.inputs]),
  };
};
