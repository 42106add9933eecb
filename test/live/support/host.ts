/** What this host must have for a live test to run; the reason is printed where it has not. */
import { existsSync } from 'node:fs';
import { execaSync } from 'execa';

const runs = (command: string, ...args: readonly string[]): boolean =>
  !execaSync(command, args, { reject: false, stdio: 'ignore' }).failed;

/** False when all of it is there, else the reason to skip. */
export const lacking = (
  ...needs: readonly (
    | 'root'
    | 'tracing'
    | 'bpftrace'
    | 'perf'
    | 'promtool'
    | 'prometheus'
    | 'fuse'
    | 'chromium'
    | 'tmux'
  )[]
): false | string => {
  for (const need of needs) {
    if (need === 'root' && process.getuid?.() !== 0) return 'not root';
    if (need === 'tracing' && !existsSync('/sys/kernel/tracing/events/lock/contention_begin'))
      return 'no lock:contention_begin in tracefs';
    if (need === 'bpftrace' && !runs('bpftrace', '--version')) return 'bpftrace does not run here';
    if (need === 'perf' && !runs('perf', '--version')) return 'perf does not run here';
    if (need === 'promtool' && !runs('promtool', '--version')) return 'promtool does not run here';
    if (need === 'prometheus' && !runs('prometheus', '--version')) return 'prometheus does not run here';
    if (need === 'chromium' && !existsSync('/usr/bin/chromium')) return 'no /usr/bin/chromium';
    if (need === 'tmux' && !runs('tmux', '-V')) return 'tmux does not run here';
    if (need === 'fuse' && !existsSync('/dev/fuse')) return 'no /dev/fuse';
  }
  return false;
};
