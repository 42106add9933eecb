/**
 * The cost benchmark in an emulated guest, where function probes can be had. The clock of the guest counts
 * instructions: one is a nanosecond to it (`-icount`), so that what it measures does not depend on how busy this
 * machine is, and can be repeated.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scriptOnKernel } from '../kernels/run.mjs';

const project = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const folder = join(project, 'dist', 'bench');

/** 2 to the power of 0 nanoseconds for an instruction. */
const emulator = ['-icount', 'shift=0'];

const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** Flags that are for this side only. */
const isForHost = (arg) => arg === '--write' || arg === '--quick';

const remark = (line) => process.stderr.write(`${line}\n`);

/**
 * Measures in a guest of a kernel of test/kernels/matrix.mjs, named by itself or by its Debian release.
 * @returns {Promise<string | undefined>} the file with the results; undefined where the guest did not give any
 */
export const measureGuest = async (name, args) => {
  mkdirSync(folder, { recursive: true });
  const script = join(folder, 'guest.sh');
  const flags = args.filter((arg) => !isForHost(arg)).map(quote);
  writeFileSync(script, `exec node dist/test/bench/in-guest.js ${flags.join(' ')}\n`);
  const began = performance.now();
  const seconds = () => Math.round((performance.now() - began) / 1000);
  let results;
  const take = (line) => {
    if (line.startsWith('{"place"')) results = line;
    else remark(`${name}: after ${seconds()} s: ${line}`);
  };
  const status = await scriptOnKernel(name, script, { more: ['dist/test/bench'], emulator, take });
  remark(`${name}: ended with ${status} after ${seconds()} s`);
  if (status !== 0 || results === undefined) return undefined;
  const file = join(folder, 'guest-results.json');
  writeFileSync(file, results);
  return file;
};
