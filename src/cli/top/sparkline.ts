/** A row of small bars. */

const bars = { unicode: '▁▂▃▄▅▆▇█', ascii: '_.-=+*#@' } as const;

/** Whether the terminal shows more than ASCII, by the locale as POSIX has it. */
export const showsUnicode = (env: NodeJS.ProcessEnv): boolean =>
  /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');

/** A character for each value, the tallest for the largest; a space where there is no value. */
export const sparkline = (values: readonly (number | null)[], unicode: boolean): string => {
  const levels = unicode ? bars.unicode : bars.ascii;
  const most = Math.max(...values.map((value) => value ?? 0), Number.MIN_VALUE);
  return values
    .map((value) => {
      if (value === null) return ' ';
      // What is more than nothing is seen as more than nothing.
      const level = value === 0 ? 0 : Math.max(1, Math.round((value / most) * (levels.length - 1)));
      return levels[level] ?? '';
    })
    .join('');
};
