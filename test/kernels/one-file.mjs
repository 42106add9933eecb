/**
 * Makes one file of a program and all that it imports. In an emulator Node takes 13 s to load the 500 modules of the
 * daemon, and 2 s for the same in one file.
 */

/** Packages of CommonJS ask for modules of Node by require(), which no ES module has. */
const withRequire =
  "import { createRequire as createBundleRequire } from 'node:module';\n" +
  'const require = createBundleRequire(import.meta.url);';

/** Each file is replaced by what is made of it: paths that it counts from its own place stay what they are. */
export const makeOneFile = async (folder, files) => {
  // Not there yet where only the names of the kernels are asked for.
  const { build } = await import('esbuild');
  for (const file of files)
    await build({
      absWorkingDir: folder,
      entryPoints: [file],
      outfile: file,
      allowOverwrite: true,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      banner: { js: withRequire },
      logLevel: 'warning',
    });
};
