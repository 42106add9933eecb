/** What systemd hands to a service in its environment: where it listens, and how often it wants to hear of it. */

export interface NotifyEnvironment {
  /** A path, or `@` and an abstract name. */
  readonly socket: string;
  /** Without a sign of life for this long the service is taken for hung; undefined where nobody watches. */
  readonly watchdogMilliseconds: number | undefined;
}

/**
 * Reads these variables and removes them, as sd_notify(3) advises, so that no child reports in our name (bpftrace does
 * from 0.21 on). Undefined where systemd does not listen.
 *
 * @param env usually `process.env`
 * @param pid of this process: the watchdog may be meant for another (sd_watchdog_enabled(3))
 */
export const takeNotifyEnvironment = (env: NodeJS.ProcessEnv, pid: number): NotifyEnvironment | undefined => {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: microseconds, WATCHDOG_PID: watched } = env;
  delete env.NOTIFY_SOCKET;
  delete env.WATCHDOG_USEC;
  delete env.WATCHDOG_PID;
  if (socket === undefined || socket === '') return undefined;
  const meant = watched === undefined || watched === String(pid);
  return {
    socket,
    watchdogMilliseconds:
      meant && /^[1-9]\d*$/.test(microseconds ?? '') ? Number(microseconds) / 1000 : undefined,
  };
};
