/**
 * A fragment: one file of bpf/, a bpftrace script that runs by hand and also says what the plan must know.
 *
 *   // NAME.bt  One line of what it shows.
 *   //@ mode watch|inspect                     always on, or time-boxed
 *   //@ provides WHAT [when CONSTANT]          observables (src/vocabulary.ts); "when": only if CONSTANT is not 0
 *   //@ cost TEXT                              what it costs others, measured
 *   //@ rank N                                 lower is preferred where two provide the same (default 100)
 *   //@ needs symbol NAME                      beyond what its probes and constants show
 *   //@ prints @map[:LIMIT] ...                what each tick prints, in this order; LIMIT: largest values only
 *   #define NAME 123   // offset STRUCT.member [or 0] | size STRUCT [or 0] | host FACT
 *
 * Everything else it needs (probe kinds, tracepoints and their fields) is read off its probes, so that what is
 * declared cannot drift from what is used.
 */
import { MmaplockError } from '../errors.js';
import { type Observable, observables } from '../vocabulary.js';

export type ProbeKind = 'tracepoint' | 'kprobe' | 'fentry';

/** Where a probe attaches. */
export interface ProbePoint {
  readonly kind: ProbeKind;
  /** `category:name` of a tracepoint, else the function. */
  readonly target: string;
  /** Fields of `args` that its block uses. */
  readonly fields: readonly string[];
  /** Line of the file, from 1. */
  readonly line: number;
}

export interface Constant {
  readonly name: string;
  readonly source:
    | { readonly from: 'offset' | 'size'; readonly of: string; readonly optional: boolean }
    | { readonly from: 'host'; readonly of: string };
}

export interface Fragment {
  readonly name: string;
  readonly summary: string;
  readonly mode: 'watch' | 'inspect';
  readonly provides: readonly { readonly what: Observable; readonly when: string | undefined }[];
  readonly cost: string;
  readonly rank: number;
  readonly symbols: readonly string[];
  readonly prints: readonly { readonly map: string; readonly limit: number | undefined }[];
  readonly constants: readonly Constant[];
  readonly probes: readonly ProbePoint[];
  /** Every line of the file, so that a compiler's line number can be given back as the file's. */
  readonly lines: readonly string[];
  /** Index of the first line after header and constants. */
  readonly bodyStart: number;
}

const kinds: Readonly<Record<string, ProbeKind>> = {
  tracepoint: 'tracepoint',
  kprobe: 'kprobe',
  kretprobe: 'kprobe',
  kfunc: 'fentry',
  kretfunc: 'fentry',
  fentry: 'fentry',
  fexit: 'fentry',
};

const probeLine = /^(tracepoint|k(?:ret)?probe|k(?:ret)?func|fentry|fexit):([\w:.]+)\s*(,?)\s*(?:\/\/.*)?$/;
/** What begins a probe, whether or not it is one that a fragment may have. */
const anyProbe = /^\s*(?:[A-Za-z]+:\S|(?:BEGIN|END)\b)/i;
const defineLine =
  /^#define\s+([A-Z][A-Z0-9_]*)\s+\d+\s*\/\/\s*(offset|size|host)\s+([\w.]+)(\s+or\s+0)?\s*$/;

/**
 * Reads one fragment.
 * @throws MmaplockError `fragment_malformed`, naming file and line.
 */
export const parseFragment = (name: string, text: string): Fragment => {
  const lines = text.split('\n');
  let mode: Fragment['mode'] | undefined;
  let cost = '';
  let rank = 100;
  let bodyStart = 0;
  let inBody = false;
  const provides: { what: Observable; when: string | undefined }[] = [];
  const symbols: string[] = [];
  const prints: { map: string; limit: number | undefined }[] = [];
  const constants: Constant[] = [];

  const malformed = (index: number, what: string): never => {
    throw new MmaplockError('fragment_malformed', `${name}.bt:${index + 1}: ${what}`, {
      field: `${name}.bt`,
    });
  };

  const directives: Readonly<Record<string, (value: string, index: number) => void>> = {
    mode: (value, index) => {
      if (value !== 'watch' && value !== 'inspect')
        malformed(index, `mode is watch or inspect, not ${value}`);
      mode = value as Fragment['mode'];
    },
    provides: (value, index) => {
      const [what, when, constant, ...rest] = value.split(/\s+/);
      if (
        !observables.includes(what as Observable) ||
        rest.length > 0 ||
        (when !== undefined && (when !== 'when' || constant === undefined))
      )
        malformed(index, `provides one of ${observables.join(', ')} [when CONSTANT], not "${value}"`);
      provides.push({ what: what as Observable, when: constant });
    },
    cost: (value) => {
      cost = value;
    },
    rank: (value, index) => {
      rank = Number(value);
      if (!Number.isInteger(rank)) malformed(index, `rank is an integer, not ${value}`);
    },
    needs: (value, index) => {
      const symbol = /^symbol\s+([\w.]+)$/.exec(value)?.[1];
      symbols.push(symbol ?? malformed(index, `needs symbol NAME, not "${value}"`));
    },
    prints: (value, index) => {
      for (const item of value.split(/\s+/)) {
        const match =
          /^(@\w+)(?::(\d+))?$/.exec(item) ?? malformed(index, `prints @map or @map:LIMIT, not ${item}`);
        prints.push({
          map: match[1] as string,
          limit: match[2] === undefined ? undefined : Number(match[2]),
        });
      }
    },
  };

  for (const [index, line] of lines.entries()) {
    if (line.startsWith('//') && !inBody && constants.length === 0) bodyStart = index + 1;
    const directive = /^\/\/@\s+(\w+)\s+(.*\S)\s*$/.exec(line);
    if (directive !== null) {
      const [, word, value] = directive as unknown as [string, string, string];
      if (!Object.hasOwn(directives, word)) malformed(index, `unknown directive "${word}"`);
      directives[word]?.(value, index);
    } else if (line.startsWith('//@')) {
      malformed(index, 'a directive is //@ WORD VALUE');
    } else if (line.startsWith('#')) {
      if (inBody) malformed(index, 'constants come before the first probe');
      const match =
        defineLine.exec(line) ??
        malformed(index, 'a constant is #define NAME NUMBER // offset|size|host WHAT [or 0]');
      const [, constant, from, of, optional] = match as unknown as [string, string, string, string, string?];
      if (constants.some((other) => other.name === constant))
        malformed(index, `${constant} is defined twice`);
      constants.push({
        name: constant,
        source:
          from === 'host'
            ? { from, of }
            : { from: from as 'offset' | 'size', of, optional: optional !== undefined },
      });
      bodyStart = index + 1;
    } else if (line.trim() !== '' && !line.startsWith('//')) {
      inBody = true;
    }
  }

  const probes = parseProbes(lines, bodyStart, malformed);
  if (mode === undefined) malformed(0, 'the header lacks //@ mode');
  if (cost === '') malformed(0, 'the header lacks //@ cost: what does it cost others?');
  if (probes.length === 0) malformed(0, 'no probe found');
  for (const { when } of provides)
    if (when !== undefined && !constants.some((constant) => constant.name === when))
      malformed(0, `provides ... when ${when}: no such #define`);
  const body = lines.slice(bodyStart).join('\n');
  for (const { map } of prints)
    if (!new RegExp(`${map}\\b`).test(body)) malformed(0, `prints ${map}: no probe has such a map`);

  const summary = (lines[0] ?? '').replace(/^\/\/\s*\S+\.bt\s+/, '').trim();
  return {
    name,
    summary,
    mode: mode as unknown as Fragment['mode'],
    provides,
    cost,
    rank,
    symbols,
    prints,
    constants,
    probes,
    lines,
    bodyStart,
  };
};

const parseProbes = (
  lines: readonly string[],
  bodyStart: number,
  malformed: (index: number, what: string) => never,
): ProbePoint[] => {
  const probes: { kind: ProbeKind; target: string; fields: Set<string>; line: number }[] = [];
  let group: typeof probes = [];
  let listGoesOn = false;
  for (const [index, line] of lines.entries()) {
    if (index < bodyStart) continue;
    const match = probeLine.exec(line);
    if (match !== null) {
      const probe = {
        kind: kinds[match[1] as string] as ProbeKind,
        target: match[2] as string,
        fields: new Set<string>(),
        line: index + 1,
      };
      if (!listGoesOn) group = [];
      group.push(probe);
      probes.push(probe);
      listGoesOn = match[3] === ',';
    } else if (anyProbe.test(line)) {
      malformed(
        index,
        'a probe stands alone on its line, spelled out (no wildcards), as tracepoint:, kprobe: or kfunc:',
      );
    }
    const code = line.replace(/\/\/.*$/, '');
    for (const [, field] of code.matchAll(/\bargs(?:->|\.)(\w+)/g))
      for (const probe of group) probe.fields.add(field as string);
  }
  return probes.map((probe) => ({ ...probe, fields: [...probe.fields] }));
};
