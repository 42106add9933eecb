/** Runs the programs of others for those who make root file systems and images. */
import { spawn } from 'node:child_process';

/** The cause is in the last lines, for apt-get, debootstrap and cc alike. */
const tailLines = 15;

/** Runs a command and resolves to what it printed; throws with its complaint. It ends with its parent. */
export const run = (command, args, options = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...options,
    });
    let [printed, said] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => {
      printed += text;
      said += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    const fail = (status) => {
      const tail = said.trim().split('\n').slice(-tailLines).join('\n');
      reject(new Error(`${command} ${args.join(' ')}: ${status}\n${tail}`));
    };
    child.once('error', (error) => fail(error.message));
    child.once('close', (code, signal) =>
      code === 0 ? resolve(printed.trim()) : fail(`ended with ${code ?? signal}`),
    );
  });
