/** What a kernel said on its console. */
import { readFileSync } from 'node:fs';

const tailLines = 40;

/** Marks of a kernel in trouble. A test that passes beside one of them deserves a second look. */
const trouble =
  /\b(?:BUG:|Oops|WARNING:|Kernel panic|Out of memory|(?:detected|self-detected) stall|soft lockup)/;

const linesOf = (file) =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd());

/** The lines in which the kernel complains. */
export const complaintsIn = (file) => linesOf(file).filter((line) => trouble.test(line));

export const endOf = (file) => linesOf(file).slice(-tailLines);
