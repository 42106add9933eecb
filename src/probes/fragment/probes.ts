/** The probes of a fragment: where they attach and which fields they use. */
import type { Malformed } from './malformed.js';

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
  /** The function, if any, without which it is left out, block and all: its own, or for a tracepoint the one it is for. */
  readonly ifThere: string | undefined;
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

const probeLine =
  /^(tracepoint|k(?:ret)?probe|k(?:ret)?func|fentry|fexit):([\w:.]+)\s*(,?)\s*(?:\/\/\s*(.*))?$/;

/** The probes of a program as bpftrace attaches them, `kretprobe:f`, each with the name of its kind and target. */
export const attachedIn = (program: string): { readonly attach: string; readonly name: string }[] =>
  program.split('\n').flatMap((line) => {
    const [, word, target] = probeLine.exec(line) ?? [];
    return word === undefined || target === undefined
      ? []
      : [{ attach: `${word}:${target}`, name: `${kinds[word]}:${target}` }];
  });

/** Whether a line begins a probe, be it one that a fragment may have or not. */
export const beginsProbe = (line: string): boolean => /^\s*(?:[A-Za-z]+:\S|(?:BEGIN|END)\b)/i.test(line);

/** Reads the probes from the line with index `bodyStart` on. */
export const parseProbes = (
  lines: readonly string[],
  bodyStart: number,
  malformed: Malformed,
): ProbePoint[] => {
  const probes: (Omit<ProbePoint, 'fields'> & { fields: Set<string> })[] = [];
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
        ifThere: undefined as string | undefined,
      };
      const [condition, without] = /^if there(?: is (\w+))?$/.exec(match[4] ?? '') ?? [];
      if (condition !== undefined) {
        if ((without === undefined) === (probe.kind === 'tracepoint') || listGoesOn || match[3] === ',')
          throw malformed(
            index,
            'a function probe is run "if there", a tracepoint "if there is FUNCTION", and only with a block of its own',
          );
        probe.ifThere = without ?? probe.target;
      }
      if (!listGoesOn) group = [];
      group.push(probe);
      probes.push(probe);
      listGoesOn = match[3] === ',';
    } else if (beginsProbe(line)) {
      throw malformed(
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

/** A fragment without some of its probes: their blocks become empty lines, so that every other line keeps its number. */
export const withoutProbes = <
  T extends { readonly lines: readonly string[]; readonly probes: readonly ProbePoint[] },
>(
  fragment: T,
  absent: readonly ProbePoint[],
): T => {
  if (absent.length === 0) return fragment;
  const lines = [...fragment.lines];
  for (const { line } of absent) {
    // A block ends with the first brace that is not indented.
    const end = lines.findIndex((text, index) => index >= line && text.startsWith('}'));
    lines.fill('', line - 1, end + 1);
  }
  return { ...fragment, lines, probes: fragment.probes.filter((probe) => !absent.includes(probe)) };
};
