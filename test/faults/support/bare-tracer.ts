/** What it takes to start a bare bpftrace on the daemon's very program, on this machine and under the load of just now. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { execa } from 'execa';
import { track } from '../../live/support/children.js';
import { runCli } from '../../live/support/daemon.js';
import { watchLines } from '../../live/support/lines.js';

const fieldsOf = (pid: number, file: 'environ' | 'cmdline'): string[] =>
  readFileSync(`/proc/${pid}/${file}`, 'latin1').split('\0').slice(0, -1);

export interface BareTracer {
  /** Starts one and kills it; gives the milliseconds to its first tick. */
  milliseconds(): Promise<number>;
}

/** One with the arguments and the environment of a tracer that runs. */
export const bareTracerLike = async (tracer: number): Promise<BareTracer> => {
  const { stdout: program, exitCode, stderr } = await runCli(['dump-program']);
  assert.equal(exitCode, 0, stderr);
  const command = fieldsOf(tracer, 'cmdline');
  const env = Object.fromEntries(
    fieldsOf(tracer, 'environ').map((line) => {
      const [name = '', ...value] = line.split('=');
      return [name, value.join('=')];
    }),
  );
  return {
    milliseconds: async () => {
      const from = performance.now();
      const child = execa('setpriv', ['--pdeathsig', 'KILL', ...command], {
        input: program,
        env,
        extendEnv: false,
        reject: false,
        buffer: false,
        stderr: 'ignore',
      });
      track(child);
      await watchLines(child.stdout, 'bpftrace').match(/"tick \d+\\n"/);
      const milliseconds = performance.now() - from;
      child.kill('SIGKILL');
      await child;
      return milliseconds;
    },
  };
};
