/** Numbers as the tables show them. */
import type { Place } from '../results.js';
import type { Spread } from '../statistics.js';

const withSign = (text: string): string =>
  text.startsWith('-') || /^0(\.0+)?$/.test(text) ? text : `+${text}`;

/** Without "-0". */
const fixed = (value: number, digits: number): string => {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? (0).toFixed(digits) : text;
};

/** Half the distance between the quartiles: what one round differs from another. */
const halfWidth = ({ lower, upper }: Spread): number => (upper - lower) / 2;

/** `x1.14 ±0.02` */
export const ratioText = (spread: Spread): string =>
  `x${fixed(spread.median, 2)} ±${fixed(halfWidth(spread), 2)}`;

/** `+12 ns`, or in microseconds from 10 us on; instructions without a unit. */
export const addedText = (nanoseconds: number, unit: Place['unit']): string => {
  if (unit === 'instructions') return withSign(fixed(nanoseconds, 0));
  return Math.abs(nanoseconds) < 10_000
    ? `${withSign(fixed(nanoseconds, 0))} ns`
    : `${withSign(fixed(nanoseconds / 1000, 0))} us`;
};

/** What one operation takes. */
export const durationText = (nanoseconds: number, unit: Place['unit']): string => {
  if (unit === 'instructions') return Math.round(nanoseconds).toLocaleString('en-US');
  if (nanoseconds < 1000) return `${fixed(nanoseconds, 0)} ns`;
  return nanoseconds < 100_000 ? `${fixed(nanoseconds / 1000, 1)} us` : `${fixed(nanoseconds / 1000, 0)} us`;
};

const digitsOf = { '%': 1, ns: 0, x: 2, times: 1 } as const;

/** In the unit of a goal: `0.4 %`, `31 ns`, `x1.12`, `5.2 times`. */
export const inUnit = (value: number, unit: keyof typeof digitsOf): string =>
  unit === 'x' ? `x${fixed(value, digitsOf.x)}` : `${fixed(value, digitsOf[unit])} ${unit}`;
