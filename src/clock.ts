/**
 * Time, as something that can be handed in: only main and the supervisor use timers, and both through this.
 *
 * All times within the daemon are on one line, which nobody sets: it begins at the time of day of the start, and goes on
 * as CLOCK_MONOTONIC does, which stands still while a host is suspended. Whoever shows a time, or is told one, asks the
 * clock for the time of day. So where an administrator or NTP sets that, no gap and no incident gets longer, and what
 * happened a minute ago stays a minute ago.
 */
export interface Clock {
  /** Milliseconds of the line of the daemon. */
  now(): number;
  /** Milliseconds since some point; as {@link now} they never go back nor jump, whoever sets the time of day. */
  monotonic(): number;
  /** The time of day, as the host has it now, of a time of {@link now}: milliseconds since the epoch. */
  timeOfDay(at: number): number;
  /** The time of {@link now} that has a time of day. */
  atTimeOfDay(time: number): number;
  /**
   * Calls once after some milliseconds, unless the returned function is called first. After none at all once what has come
   * in meanwhile had its turn: timers that are set anew each time would go on without it.
   */
  after(milliseconds: number, call: () => void): () => void;
}

/** Milliseconds by which the time of day may be off before it counts as set: it is not read at the very same moment. */
const unsetMilliseconds = 100;

/** Milliseconds that may pass while both clocks are read; where this process stood still meanwhile, they tell nothing. */
const readMilliseconds = 5;

/**
 * The line of a daemon.
 * @param timeOfDay of the host, milliseconds since the epoch
 * @param monotonic milliseconds that nobody sets
 */
export const timeLine = (
  timeOfDay: () => number,
  monotonic: () => number,
): Pick<Clock, 'now' | 'timeOfDay' | 'atTimeOfDay'> => {
  const begin = timeOfDay() - monotonic();
  const now = (): number => Math.round(begin + monotonic());
  let set = 0;
  // It stays as it is while it is about right: a time that is shown twice is to be the same.
  const ahead = (): number => {
    const before = monotonic();
    const found = timeOfDay() - Math.round(begin + before);
    if (Math.abs(found - set) > unsetMilliseconds && monotonic() - before <= readMilliseconds) set = found;
    return set;
  };
  return { now, timeOfDay: (at) => at + ahead(), atTimeOfDay: (time) => time - ahead() };
};

/** A time of {@link Clock.now} in the time of day, as RFC 3339 with milliseconds. */
export const isoTime = (clock: Pick<Clock, 'timeOfDay'>, at: number): string =>
  new Date(clock.timeOfDay(at)).toISOString();

/** What makes the time of day of the times of an incident: once it is closed that is as it was then. */
export const clockOf = (
  { ahead }: { readonly ahead?: number | undefined },
  clock: Pick<Clock, 'timeOfDay'>,
): Pick<Clock, 'timeOfDay'> => (ahead === undefined ? clock : { timeOfDay: (at) => at + ahead });

export const systemClock: Clock = {
  ...timeLine(
    () => Date.now(),
    () => performance.now(),
  ),
  monotonic: () => performance.now(),
  after: (milliseconds, call) => {
    if (milliseconds === 0) {
      const immediate = setImmediate(call);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(call, milliseconds);
    return () => clearTimeout(timer);
  },
};
