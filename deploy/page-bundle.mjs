/** The page of src/page as a browser takes it: one script with uPlot in it, one sheet of styles, by esbuild. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from './bootstrap/paths.mjs';

const source = join(root, 'src', 'page');
const textOf = (name) => readFileSync(join(source, name), 'utf8');

/** @returns the files by name, and what esbuild read for them */
export const bundlePage = async () => {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['src/page/main.ts'],
    outfile: 'page.js',
    bundle: true,
    format: 'esm',
    target: ['chrome110', 'firefox110', 'safari16'],
    minify: true,
    legalComments: 'external',
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  const ending = (end) => outputFiles.find(({ path }) => path.endsWith(end))?.text ?? '';
  const charts = readFileSync(createRequire(import.meta.url).resolve('uplot/dist/uPlot.min.css'), 'utf8');
  return {
    files: {
      'index.html': textOf('index.html'),
      'page.js': ending('page.js'),
      'page.css': `${charts.trim()}\n${textOf('page.css')}`,
      'icon.svg': textOf('icon.svg'),
    },
    notices: ending('.LEGAL.txt'),
    inputs: Object.keys(metafile.inputs),
  };
};
