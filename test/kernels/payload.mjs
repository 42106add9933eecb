/**
 * The second disk of the guests: Node, the built daemon with the packages it needs, and the programs of the tests,
 * laid out as in the project. Every guest of a run has the same one, and reads only.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { run } from '../roots/command.mjs';
import { makeOneFile } from './one-file.mjs';

/** The programs of the demonstration, with the headers that others share with them. */
const demoSources = 'src/cli/demo/load';

/** What is copied of the project. */
const parts = [
  'package.json',
  'bpf',
  'dist/src',
  'dist/test/kernels',
  'dist/test/live/support',
  'dist/test/support',
  demoSources,
  'test/kernels/guest.sh',
  'test/workload',
];

/** What Node runs there; one that is not among the parts is left out. */
const programs = ['dist/src/main.js', 'dist/test/kernels/guest/main.js', 'dist/test/package/guest/main.js'];

const minute = 60_000;

/** The packages that are not for development only; those within another are copied with it. */
const productionPackages = (project) => {
  const lock = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8'));
  return Object.entries(lock.packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional)
    .map(([path]) => path)
    .filter((path) => !/\/node_modules\//.test(path));
};

/**
 * Compiles the workload for every guest: statically, since each has another C library. Sources look older than
 * programs, so that what compiles them on a host leaves them as they are.
 */
const compileWorkload = async (folder) => {
  const programs = join(folder, 'dist/workload');
  mkdirSync(programs, { recursive: true });
  const files = [demoSources, 'test/workload'].flatMap((name) =>
    readdirSync(join(folder, name)).map((file) => join(folder, name, file)),
  );
  const options = ['-O2', '-Wall', '-Wextra', '-static', '-pthread', '-I', join(folder, demoSources)];
  const compile = (file) => run('cc', [...options, '-o', join(programs, basename(file, '.c')), file]);
  await Promise.all(files.filter((file) => file.endsWith('.c')).map(compile));
  const earlier = new Date(Date.now() - 60 * minute);
  for (const file of files) utimesSync(file, earlier, earlier);
};

const megabytes = async (folder) => Number.parseInt(await run('du', ['-sm', folder]), 10);

/**
 * Makes the disk in a folder of the run.
 * @param entries of the matrix; the guest finds its own by name, in kernels/NAME.json
 * @param script to run in place of the tests, if any
 * @param more files and folders of the project that these guests need, too
 * @returns the image
 */
export const makePayload = async ({ project, runFolder, entries, script, more = [] }) => {
  const folder = join(runFolder, 'payload');
  mkdirSync(join(folder, 'bin'), { recursive: true });
  mkdirSync(join(folder, 'kernels'));
  const wanted = [...parts, ...more, ...productionPackages(project)];
  const paths = wanted.filter((path) => existsSync(join(project, path)));
  await run('cp', ['-a', '--parents', ...paths, folder], { cwd: project });
  await makeOneFile(
    folder,
    programs.filter((path) => existsSync(join(folder, path))),
  );
  cpSync(process.execPath, join(folder, 'bin/node'));
  for (const entry of entries)
    writeFileSync(join(folder, 'kernels', `${entry.name}.json`), JSON.stringify(entry));
  if (script !== undefined) cpSync(script, join(folder, 'exec.sh'));
  await compileWorkload(folder);
  const image = join(runFolder, 'payload.img');
  const size = `${Math.ceil((await megabytes(folder)) * 1.2) + 32}M`;
  await run('mke2fs', ['-q', '-t', 'ext4', '-O', '^has_journal', '-d', folder, '-F', image, size]);
  return image;
};
