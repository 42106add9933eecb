/** Where the seconds of a guest go, by the parts that it names as it comes to them. */

/**
 * How long an emulator has been ready to run and had no CPU, in seconds: what it would have taken less on a quiet
 * machine. That of its busiest thread, the one that emulates.
 * @param threads the text of /proc/PID/task/TID/schedstat of each
 */
export const waitedForCpu = (threads) =>
  threads
    .map((text) => text.trim().split(' ').map(Number))
    .reduce((busiest, thread) => (thread[0] > busiest[0] ? thread : busiest), [0, 0])[1] / 1e9;

const none = { seconds: 0, waited: 0 };

/** Moments are { seconds, waited } since the emulator was started, `waited` for a CPU. */
export const createParts = () => {
  const totals = new Map();
  let [current, since] = ['boot', none];
  return {
    /** From now on all is of this part. */
    enter(part, at) {
      const { seconds, waited } = totals.get(current) ?? none;
      totals.set(current, {
        seconds: seconds + at.seconds - since.seconds,
        waited: waited + at.waited - since.waited,
      });
      [current, since] = [part, at];
    },
    /** In the order in which they were first entered. */
    totals: () => [...totals].map(([part, spent]) => ({ part, ...spent })),
  };
};

const whole = (seconds) => `${Math.round(seconds)}`;

/** Lines for people: the seconds of each part, and of those the ones that the emulator had to wait for a CPU. */
export const partLines = (totals) => {
  const sum = (pick) => totals.reduce((total, part) => total + pick(part), 0);
  const all = { part: 'all', seconds: sum((part) => part.seconds), waited: sum((part) => part.waited) };
  const width = Math.max(...totals.map(({ part }) => part.length));
  return [...totals, all].map(
    ({ part, seconds, waited }) =>
      `  ${part.padEnd(width)}  ${whole(seconds).padStart(4)} s, ${whole(waited).padStart(3)} s of them without a CPU`,
  );
};
