/**
 * At most as many guests at a time as the host has CPUs, whoever started them: an emulator keeps one CPU busy, and
 * in a guest that gets less of it, what has a time limit fails. TEST_GUESTS leaves a CPU to what runs beside them.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { cache } from '../roots/cache.mjs';

const places = Number(process.env.TEST_GUESTS ?? availableParallelism());

/**
 * Waits for its turn, then for one of the slots, and keeps it until its input ends, which it does with its parent.
 * The locks are the kernel's: nothing is left of one whose holder was killed.
 */
const holder = `
exec 9>"$1/guests.lock"
flock 9
while :; do
  for slot in $(seq "$2"); do
    exec 8>"$1/guest-$slot.lock"
    if flock --nonblock 8; then
      exec 9>&-
      echo taken
      exec cat >/dev/null
    fi
  done
  sleep 0.2
done`;

/**
 * Resolves once this guest may run.
 * @returns {Promise<() => void>} gives its place to the next
 * @throws Error where no lock can be taken
 */
export const takeSlot = async () => {
  const args = ['--pdeathsig', 'KILL', 'sh', '-c', holder, 'sh', cache, `${places}`];
  const child = spawn('setpriv', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'close').then(([code, signal]) => {
    throw new Error(`no place for a guest: sh ended with ${code ?? signal}`);
  });
  ended.catch(() => {}); // after its release nobody waits for it any more
  await Promise.race([once(child.stdout, 'data'), ended]);
  return () => child.stdin.end();
};
