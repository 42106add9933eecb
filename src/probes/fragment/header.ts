/** The header of a fragment: its `//@` lines. What each of them means: fragment.ts. */
import { probeSwitches } from '../../config/schema.js';
import { type Observable, observables } from '../../vocabulary.js';
import type { Malformed } from './malformed.js';

/** What a fragment may depend on: a switch of the operator, or whether anybody wants what it tells. */
export const switches = { ...probeSwitches, watched_victims: ['on', 'off'] } as const;
export type ProbeSwitch = keyof typeof switches;

/** Positions of a switch under which a fragment runs. */
export interface SwitchNeed {
  readonly key: ProbeSwitch;
  readonly positions: readonly string[];
}

/** A field that a tracepoint must have. */
export interface FieldNeed {
  /** `category:name`. */
  readonly tracepoint: string;
  readonly field: string;
  /** What to tell the operator of a kernel without it. */
  readonly why: string | undefined;
}

/** The releases of Linux from which on a fragment may run. */
export interface ReleaseNeed {
  /** Lowest first: the last is the mainline release, those before it are stable releases that have the same fix. */
  readonly releases: readonly (readonly [number, number, number])[];
  /** What is wrong with those before. */
  readonly why: string;
}

/** A symbol that the kernel must not have. */
export interface Absence {
  readonly symbol: string;
  /** What to tell the operator of a kernel that has it. */
  readonly why: string;
}

/** What a fragment lets be observed. */
export interface Provision {
  readonly what: Observable;
  /** Only where this constant is not 0. */
  readonly when: string | undefined;
  /** What a 0 of it means, where it means that on such a kernel there is nothing to observe. */
  readonly moot: string | undefined;
}

/** When a fragment runs: always, time-boxed on request, or once when the daemon starts. */
const modes = ['watch', 'inspect', 'start'] as const;
type Mode = (typeof modes)[number];

export interface Header {
  readonly mode: Mode;
  readonly runsWhen: readonly SwitchNeed[];
  readonly provides: readonly Provision[];
  /** The event that its probes tell of, if it is a source. */
  readonly tells: string | undefined;
  readonly cost: string;
  readonly rank: number;
  /** Beyond what its probes and constants show. */
  readonly needs: {
    readonly symbols: readonly string[];
    readonly absences: readonly Absence[];
    readonly fields: readonly FieldNeed[];
    readonly fragments: readonly string[];
    readonly events: readonly string[];
    readonly releases: readonly ReleaseNeed[];
  };
  readonly prints: readonly { readonly map: string; readonly limit: number | undefined }[];
}

/** One line `//@ WORD VALUE`. */
export interface Directive {
  readonly index: number;
  readonly word: string;
  readonly value: string;
}

const words = ['mode', 'runs', 'provides', 'tells', 'cost', 'rank', 'needs', 'prints'] as const;

/** Reads the directives of a header. */
export const parseDirectives = (directives: readonly Directive[], malformed: Malformed): Header => {
  const all = <T>(word: (typeof words)[number], parse: (value: string) => T | string): T[] =>
    directives
      .filter((directive) => directive.word === word)
      .map(({ index, value }) => {
        const parsed = parse(value);
        if (typeof parsed === 'string') throw malformed(index, parsed);
        return parsed;
      });

  for (const { index, word } of directives)
    if (!(words as readonly string[]).includes(word)) throw malformed(index, `unknown directive "${word}"`);
  const mode = all('mode', parseMode).at(-1)?.mode;
  if (mode === undefined) throw malformed(0, 'the header lacks //@ mode');
  const cost = all('cost', (text) => ({ text })).at(-1)?.text;
  if (cost === undefined) throw malformed(0, 'the header lacks //@ cost: what does it cost others?');
  const needs = all('needs', parseNeed);
  return {
    mode,
    runsWhen: all('runs', parseRuns),
    provides: all('provides', parseProvides),
    tells: all('tells', parseTells).at(-1)?.event,
    cost,
    rank: all('rank', parseRank).at(-1) ?? 100,
    needs: {
      symbols: needs.flatMap((need) => ('name' in need ? [need.name] : [])),
      absences: needs.flatMap((need) => ('symbol' in need ? [need] : [])),
      fields: needs.flatMap((need) => ('field' in need ? [need] : [])),
      fragments: needs.flatMap((need) => ('fragment' in need ? [need.fragment] : [])),
      events: needs.flatMap((need) => ('event' in need ? [need.event] : [])),
      releases: needs.flatMap((need) => ('releases' in need ? [need] : [])),
    },
    prints: all('prints', parsePrints).flat(),
  };
};

// Each gives what it read, or the words that say what is wrong.

const parseMode = (value: string): { mode: Mode } | string =>
  modes.includes(value as Mode)
    ? { mode: value as Mode }
    : `mode is one of ${modes.join(', ')}, not ${value}`;

const parseRuns = (value: string): SwitchNeed | string => {
  const [when, key = '', ...positions] = value.split(/\s+/);
  const known: readonly string[] | undefined = Object.hasOwn(switches, key)
    ? switches[key as ProbeSwitch]
    : undefined;
  if (when !== 'when' || known === undefined)
    return `runs when ${Object.keys(switches).join('|')} POSITION..., not "${value}"`;
  if (positions.length === 0 || !positions.every((position) => known.includes(position)))
    return `${key} is one of ${known.join(', ')}, not "${positions.join(' ')}"`;
  return { key: key as ProbeSwitch, positions };
};

const parseProvides = (value: string): Provision | string => {
  const [, what, when, moot] = /^(\w+)(?:\s+when\s+(\w+)(?::\s+(.+))?)?$/.exec(value) ?? [];
  return observables.includes(what as Observable)
    ? { what: what as Observable, when, moot }
    : `provides one of ${observables.join(', ')} [when CONSTANT[: WHAT IT MEANS WHERE IT IS 0]], not "${value}"`;
};

const parseTells = (value: string): { event: string } | string =>
  /^[a-z][a-z-]*$/.test(value) ? { event: value } : `tells one event, such as reads, not "${value}"`;

const parseRank = (value: string): number | string =>
  Number.isInteger(Number(value)) ? Number(value) : `rank is an integer, not ${value}`;

type Need = { name: string } | Absence | { fragment: string } | { event: string } | FieldNeed | ReleaseNeed;

const parseNeed = (value: string): Need | string => {
  const name = /^symbol\s+([\w.]+)$/.exec(value)?.[1];
  if (name !== undefined) return { name };
  const [, symbol, dear] = /^no\s+symbol\s+([\w.]+):\s+(.+)$/.exec(value) ?? [];
  if (symbol !== undefined && dear !== undefined) return { symbol, why: dear };
  const fragment = /^fragment\s+([\w.-]+)$/.exec(value)?.[1];
  if (fragment !== undefined) return { fragment };
  const event = /^event\s+([a-z][a-z-]*)$/.exec(value)?.[1];
  if (event !== undefined) return { event };
  const release = /^release\s+(\d[\d.]*(?:\s+or\s+\d[\d.]*)*):\s+(.+)$/.exec(value);
  if (release !== null) return releaseNeed(release[1] as string, release[2] as string);
  const [, tracepoint, field, why] = /^field\s+(\w+:\w+)\.(\w+)(?::\s+(.+))?$/.exec(value) ?? [];
  if (tracepoint !== undefined && field !== undefined) return { tracepoint, field, why };
  return `needs symbol NAME, no symbol NAME: WHY, field CATEGORY:NAME.FIELD[: WHY], fragment NAME, event NAME or release N[ or N]: WHY, not "${value}"`;
};

const releaseNeed = (text: string, why: string): ReleaseNeed => ({
  releases: text.split(/\s+or\s+/).map((release) => {
    const [major = 0, minor = 0, patch = 0] = release.split('.').map(Number);
    return [major, minor, patch];
  }),
  why,
});

const parsePrints = (value: string): Header['prints'] | string => {
  const prints: { map: string; limit: number | undefined }[] = [];
  for (const item of value.split(/\s+/)) {
    const [, map, limit] = /^(@\w+)(?::(\d+))?$/.exec(item) ?? [];
    if (map === undefined) return `prints @map or @map:LIMIT, not ${item}`;
    prints.push({ map, limit: limit === undefined ? undefined : Number(limit) });
  }
  return prints;
};
