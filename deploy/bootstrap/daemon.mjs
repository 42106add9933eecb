/** Runs the daemon in the foreground and stands for it: signals go in, its exit code comes out. */
import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { main } from './paths.mjs';
import { CannotGoOn, say } from './report.mjs';

/**
 * The terminal sends SIGINT to npm and to us, and npm sends it to us again: the daemon must see one, since a
 * second may mean "now, at once".
 */
const repeatMilliseconds = 500;

/** How often to look whether npm is still there. */
const parentCheckMilliseconds = 1000;

/** Prints what this host offers. Being blind is no reason to stop: the daemon goes on and says why. */
export const reportHost = () => {
  const { status, signal, error } = spawnSync(process.execPath, [main, 'check'], { stdio: 'inherit' });
  if (status === 0 || status === 1) return;
  if (status === 2)
    say('nothing can be observed on this host yet (reasons above); the daemon runs and reports it');
  else
    say(
      `the check of this host failed (${error?.message ?? signal ?? `exit code ${status}`}); starting anyway`,
    );
};

/**
 * Calls back when npm, which started us, is gone: killed outright it forwards no signal. Only under npm, since
 * `nohup node deploy/bootstrap.mjs start &` means to outlive its shell.
 */
const whenNpmEnds = (callback) => {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    callback();
  }, parentCheckMilliseconds);
  timer.unref();
};

/** Runs the daemon with the given flags and resolves to its exit code, as a shell would give it. */
export const runDaemon = (args) =>
  new Promise((resolve, reject) => {
    const command = ['--pdeathsig', 'TERM', process.execPath, main, 'run', ...args];
    // Its own session, so that a signal from the terminal reaches it through us only, and once.
    const daemon = spawn('setpriv', command, { stdio: 'inherit', detached: true });
    const lastForwarded = new Map();
    const forward = (signal) => {
      const now = performance.now();
      if (now - lastForwarded.get(signal) < repeatMilliseconds) return;
      lastForwarded.set(signal, now);
      // On a terminal SIGHUP means that it was closed; elsewhere the daemon takes it as "reread the settings".
      daemon.kill(signal === 'SIGHUP' && process.stdin.isTTY ? 'SIGTERM' : signal);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
    whenNpmEnds(() => daemon.kill('SIGTERM'));
    daemon.once('error', (error) => reject(new CannotGoOn(error.message, 'install setpriv (util-linux)')));
    daemon.once('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
