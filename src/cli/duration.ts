/** Durations of the command line: `30s`, `5m`, `1h`. */

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** So that nobody leaves a tracer behind that is meant to run for a moment. */
const longestSeconds = 3600;

/** The seconds of a duration from 1 s to 1 h, in whole seconds, minutes or hours; undefined for any other text. */
export const durationSeconds = (text: string): number | undefined => {
  const [, digits, unit = ''] = /^(\d{1,4})([smh])$/.exec(text) ?? [];
  const seconds = Number(digits) * (unitSeconds[unit] ?? Number.NaN);
  return seconds >= 1 && seconds <= longestSeconds ? seconds : undefined;
};
