/** Hooks of a fragment, and the lines that others add there: one event, one probe, measured once. */
import type { Malformed } from './malformed.js';
import { beginsProbe } from './probes.js';

/** Lines that go to a hook of another fragment, or of whichever source tells of an event. */
export interface Addition {
  /** Name of the fragment or of the event. */
  readonly to: string;
  readonly hook: string;
  /** Only where that runs, which is not needed. */
  readonly optional: boolean;
  /** Index of its `//@ at` line, and of the line after its last. */
  readonly start: number;
  readonly end: number;
}

/** The name of the hook that a line is, if it is one. */
export const hookOf = (line: string): string | undefined => /^\s*\/\/@ hook (\w+)\b/.exec(line)?.[1];

/** Whether an addition begins with this line. */
export const isAddition = (line: string): boolean => line.startsWith('//@ at ');

/** Whether what is added there goes to this fragment. */
export const addsTo = (
  { to }: Pick<Addition, 'to'>,
  { name, tells }: { readonly name: string; readonly tells: string | undefined },
): boolean => to === name || to === tells;

/**
 * Reads the additions; they stand behind all probes.
 * @param needed fragments and events that this one needs
 */
export const parseAdditions = (
  lines: readonly string[],
  needed: readonly string[],
  malformed: Malformed,
): Addition[] => {
  const starts = lines.flatMap((line, index) => (isAddition(line) ? [index] : []));
  const additions = starts.map((start, place) => {
    const [, to, hook, where] = /^\/\/@ at ([\w.-]+) (\w+)( if it runs)?\s*$/.exec(lines[start] ?? '') ?? [];
    if (to === undefined || hook === undefined)
      throw malformed(start, 'an addition is //@ at FRAGMENT HOOK, or //@ at EVENT HOOK [if it runs]');
    const optional = where !== undefined;
    if (!optional && !needed.includes(to))
      throw malformed(start, `it adds to ${to}: say so by //@ needs fragment ${to}, or event ${to}`);
    return { to, hook, optional, start, end: starts[place + 1] ?? lines.length };
  });
  const probe = lines.findIndex((line, index) => index > (starts[0] ?? lines.length) && beginsProbe(line));
  if (probe >= 0) throw malformed(probe, 'probes stand before the additions');
  return additions;
};
