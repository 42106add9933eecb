/** The constants of a fragment: `#define NAME 123 // WHAT`. What each WHAT means: fragment.ts. */
import type { Malformed } from './malformed.js';

/** Numbers that the operator decides. */
export const optionNames = [
  'stall_nanoseconds',
  'share_nanoseconds',
  'window_nanoseconds',
  'mark_nanoseconds',
] as const;
export type OptionName = (typeof optionNames)[number];

export interface Constant {
  readonly name: string;
  readonly source:
    | { readonly from: 'offset'; readonly of: readonly string[]; readonly optional: boolean }
    | { readonly from: 'size' | 'address'; readonly of: string; readonly optional: boolean }
    | { readonly from: 'host'; readonly of: string }
    | { readonly from: 'option'; readonly of: OptionName; readonly number: number };
}

/** Whether a constant is about the daemon's own program: run by hand, a fragment has 0 for it. */
export const isZeroByHand = ({ source }: Constant): boolean =>
  source.from === 'host' && source.of === 'daemon_pid';

const defineLine = /^#define\s+([A-Z][A-Z0-9_]*)\s+(\d+)\s*\/\/\s*(\w+)\s+(\S+)(\s+or\s+0)?\s*$/;

const whatPatterns: Readonly<Record<Constant['source']['from'], RegExp>> = {
  offset: /^\w+(?:\.\w+)+(?:\|\w+(?:\.\w+)+)*$/,
  size: /^\w+$/,
  address: /^[\w.]+$/,
  host: /^[\w.]+$/,
  option: new RegExp(`^(?:${optionNames.join('|')})$`),
};

/** Reads the `#define` lines, given with their index in the file. */
export const parseConstants = (
  lines: readonly { readonly index: number; readonly line: string }[],
  malformed: Malformed,
): Constant[] => {
  const constants = new Map<string, Constant>();
  for (const { index, line } of lines) {
    const [, name = '', number, from = '', of = '', optional] = defineLine.exec(line) ?? [];
    const source = sourceOf(from, of, optional !== undefined, Number(number));
    if (source === undefined)
      throw malformed(
        index,
        'a constant is #define NAME NUMBER // offset|size|address WHAT [or 0], // host FACT, or // option NAME',
      );
    if (constants.has(name)) throw malformed(index, `${name} is defined twice`);
    const constant = { name, source };
    if (isZeroByHand(constant) && Number(number) !== 0)
      throw malformed(index, `${name} is 0 in the file: run by hand, there is no daemon`);
    constants.set(name, constant);
  }
  return [...constants.values()];
};

const sourceOf = (
  from: string,
  of: string,
  optional: boolean,
  number: number,
): Constant['source'] | undefined => {
  const known = Object.hasOwn(whatPatterns, from) ? (from as Constant['source']['from']) : undefined;
  if (known === undefined || !whatPatterns[known].test(of)) return undefined;
  if (known === 'offset') return { from: known, of: of.split('|'), optional };
  if (known === 'size' || known === 'address') return { from: known, of, optional };
  if (optional) return undefined;
  return known === 'option' ? { from: known, of: of as OptionName, number } : { from: known, of };
};
