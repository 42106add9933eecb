/** Numbers and tables as the commands print them. */
import { groupedText } from './wording.js';

/** `1,234`. */
export const count = (amount: number): string => groupedText(amount);

/** Seconds from nanoseconds: `1.234`. */
export const seconds = (nanoseconds: number): string => groupedText(nanoseconds / 1e9, 3);

/** The same for tables that must not show a little as nothing: `<0.001`. */
export const someSeconds = (nanoseconds: number): string =>
  nanoseconds > 0 && nanoseconds < 500_000 ? '<0.001' : seconds(nanoseconds);

/** A cell of a table: `-` where there is nothing to tell, which is not 0. */
export const cell = (
  amount: number | null | undefined,
  format: (amount: number) => string = count,
): string => (amount === null || amount === undefined ? '-' : format(amount));

/**
 * Lines of a table, indented by two.
 * @param words how many columns, from the left, hold words: the others hold numbers, and stand to the right
 */
export const table = (
  header: readonly string[],
  words: number,
  rows: readonly (readonly string[])[],
): string[] => {
  const widths = header.map((title, index) =>
    Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((text, index) => {
        const width = widths[index] ?? 0;
        return index < words ? text.padEnd(width) : text.padStart(width);
      })
      .join('  ');
  return [header, ...rows].map((cells) => `  ${line(cells)}`.trimEnd());
};
