/**
 * What the daemon says to systemd in the course of its life: that it serves, how it fares, that its event loop turns,
 * and that it ends.
 *
 * A reload is not announced (RELOADING=1): it is over before a child could say that it begins, and ExecReload= has
 * checked the configuration first. Type=notify-reload needs systemd 253.
 */
import type { Clock } from '../clock.js';
import type { Log } from '../log/log.js';
import { createRepeatLimit } from '../log/once.js';
import type { Readiness } from '../watch/readiness.js';
import type { NotifyEnvironment } from './environment.js';
import type { Send } from './send.js';
import { statusOf } from './status.js';

export interface ManagerOptions {
  readonly watchdogMilliseconds: NotifyEnvironment['watchdogMilliseconds'];
  readonly send: Send;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Manager {
  /** It serves, whether or not it can observe anything: a unit that never starts would hide why. Called once. */
  ready(readiness: () => Readiness): void;
  /** It ends. Resolves when that was said, or could not be. */
  stopping(): Promise<void>;
}

/** Where no watchdog is kept, only a status that changed is said. */
const unwatchedMilliseconds = 40_000;
/** Beats in the time of the watchdog: two of them may fail. */
const beatsInWatchdog = 3;
/** After the first message: by then the tracer has attached, and the status is another. */
const soonMilliseconds = 5000;
/** After one that could not be said. */
const againMilliseconds = 10_000;

/** Says it to systemd, in a rhythm that depends on its watchdog: one message in each beat at most. */
export const createManager = ({ watchdogMilliseconds, send, clock, log }: ManagerOptions): Manager => {
  const say = createRepeatLimit({ minutes: 60, now: () => clock.monotonic() });
  const sign = watchdogMilliseconds === undefined ? [] : ['WATCHDOG=1'];
  const between =
    watchdogMilliseconds === undefined ? unwatchedMilliseconds : watchdogMilliseconds / beatsInWatchdog;
  let announced = false;
  let ended = false;
  let status = '';
  let cancel = (): void => {};

  /** Whether it could be said. */
  const tell = async (assignments: readonly string[], newStatus: string): Promise<boolean> => {
    const message = [...assignments, ...(newStatus === status ? [] : [`STATUS=${newStatus}`])];
    if (message.length === 0) return true;
    try {
      await send(message);
      status = newStatus;
      return true;
    } catch (error) {
      say('notify', (unsaid) =>
        log.warn({ err: error, unsaid }, 'systemd does not hear how the daemon fares'),
      );
      return false;
    }
  };

  const beat = async (readiness: () => Readiness): Promise<void> => {
    const told = await tell([...(announced ? [] : ['READY=1']), ...sign], statusOf(readiness()));
    if (ended) return;
    const pause = told ? (announced ? between : soonMilliseconds) : againMilliseconds;
    announced ||= told;
    cancel = clock.after(Math.min(pause, between), () => void beat(readiness));
  };

  return {
    ready: (readiness) => void beat(readiness),
    stopping: async () => {
      ended = true;
      cancel();
      await tell(['STOPPING=1'], 'Ending.');
    },
  };
};
