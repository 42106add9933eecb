/** Numbers, times and lists as people say them. */

/** A time as people say it: `180 ms`, `3.2 s`, `26 s`, `4.5 min`. */
export const durationText = (nanoseconds: number): string => {
  const milliseconds = nanoseconds / 1e6;
  if (milliseconds < 0.095) return 'less than 0.1 ms';
  if (milliseconds < 9.95) return `${short(milliseconds)} ms`;
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 119.5) return seconds < 9.95 ? `${short(seconds)} s` : `${Math.round(seconds)} s`;
  return `${short(seconds / 60)} min`;
};

const short = (value: number): string => value.toFixed(1).replace(/\.0$/, '');

/**
 * A number with its digits in groups, `1,234` or `1,234.500`. Not by Intl, whose data of all languages costs Node 11 MB
 * of memory once it is asked.
 * @param decimals behind the point, none by default
 */
export const groupedText = (amount: number, decimals = 0): string => {
  // toFixed() alone goes by the binary number, of which 0.0055 is a little less.
  const rounded = Math.round(amount * 10 ** decimals) / 10 ** decimals;
  const [whole = '', ...rest] = rounded.toFixed(decimals).split('.');
  return [whole.replace(/\B(?=(?:\d{3})+$)/g, ','), ...rest].join('.');
};

/** `a`, `a and b`, `a, b and c`. */
export const listText = (items: readonly string[]): string =>
  items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;

/** `1 wait`, `1,234 waits`, `2 processes`: a count with its noun. */
export const countText = (count: number, noun: string): string => {
  const ending = noun.endsWith('s') ? 'es' : 's';
  return `${groupedText(count)} ${noun}${count === 1 ? '' : ending}`;
};
