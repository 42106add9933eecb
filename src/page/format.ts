/** Numbers as people read them. */

/** `1,234`. */
export const count = (amount: number): string => Math.round(amount).toLocaleString('en');

/** `less than 0.1 ms`, `180 ms`, `3.2 s`, `4.5 min`. */
export const seconds = (amount: number): string => {
  if (amount === 0) return '0 s';
  if (amount < 0.0001) return 'less than 0.1 ms';
  if (amount < 0.9995) return `${short(amount * 1000)} ms`;
  return amount < 119.5 ? `${short(amount)} s` : `${short(amount / 60)} min`;
};

/** A rate in seconds per second: `31 ms/s`. */
export const rate = (amount: number): string => `${seconds(amount)}/s`;

const short = (value: number): string => (value < 9.95 ? value.toFixed(1).replace(/\.0$/, '') : count(value));

/** `3.1 %`. */
export const percent = (ratio: number): string => {
  const value = ratio * 100;
  return `${value < 9.95 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)} %`;
};

/** A bound of durations: `16 us`, `4.1 ms`, `1 s`. */
export const bound = (value: number): string =>
  value < 0.001 ? `${Math.round(value * 1e6)} us` : seconds(value);

/** The time of day where the person is who looks. */
export const timeOfDay = (at: string): string => new Date(at).toLocaleTimeString();

/** A unit or container, short enough for a line. */
export const place = (text: string | null): string =>
  text === null ? '' : /^[0-9a-f]{64}$/.test(text) ? text.slice(0, 12) : text;
