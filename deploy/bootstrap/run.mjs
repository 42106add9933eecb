/** Runs the programs of others quietly: their output goes to a file and is shown only when they fail. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { installLog } from './paths.mjs';

/** npm names the cause first and its usage after it; apt-get and tsc end with the cause. */
const [headLines, tailLines] = [10, 12];

const shorten = (text) => {
  const lines = text.trimEnd().split('\n');
  if (lines.length <= headLines + tailLines) return lines;
  return [...lines.slice(0, headLines), '[...]', ...lines.slice(-tailLines)];
};

/**
 * Runs a command with its output appended to the log. Never throws: `said` holds the essential lines of
 * its output, or why it did not start.
 */
export const runLogged = async (command, args, { env = {}, cwd } = {}) => {
  mkdirSync(dirname(installLog), { recursive: true });
  const log = openSync(installLog, 'a+');
  try {
    writeSync(log, `\n$ ${command} ${args.join(' ')}\n`);
    const start = readFileSync(installLog).length;
    const options = { env: { ...process.env, ...env }, cwd, stdio: ['ignore', log, log] };
    const status = await new Promise((resolve) => {
      const child = spawn(command, args, options);
      child.once('error', (error) => resolve(error.message));
      child.once('close', (code, signal) => resolve(code ?? signal));
    });
    const lines = shorten(readFileSync(installLog).subarray(start).toString());
    if (typeof status === 'string') lines.push(`${command}: ${status}`);
    return { ok: status === 0, said: lines.join('\n') };
  } finally {
    closeSync(log);
  }
};
