/**
 * Joins the chosen fragments into the one program that watch mode runs: constants become this kernel's numbers, and
 * an interval block ends each tick with what the fragments print and a tick line.
 */
import type { ConstantValue } from './constants.js';
import { isZeroByHand } from './fragment/constants.js';
import type { Fragment } from './fragment/fragment.js';
import { addsTo, hookOf } from './fragment/hooks.js';
import type { ProbeKind } from './fragment/probes.js';

/** A fragment with the values of its constants on this host. */
export interface Choice {
  readonly fragment: Fragment;
  readonly constants: ReadonlyMap<string, ConstantValue>;
}

/** A place in a fragment's file; lines from 1. */
export interface Origin {
  readonly fragment: string;
  readonly line: number;
}

/** What bpftrace runs. */
export interface Script {
  readonly text: string;
  /** How many probes bpftrace must report, the intervals included. */
  readonly probes: number;
}

/** Whether so many probes are all of a program. */
export const areAllProbes = (
  { probes, sessions }: Pick<Program, 'probes' | 'sessions'>,
  attached: number,
): boolean => attached === probes || attached === probes - sessions;

export interface Program extends Script {
  readonly fragments: readonly string[];
  /** Which line of which fragment a line of the program (from 1) came from; undefined for lines of the join itself. */
  readonly originOf: (line: number) => Origin | undefined;
  /**
   * The fragment to give up for the probe that a message names, if it names one.
   * @param attaching the probe compiles and could not be attached: that is no fault of what was added to it
   */
  readonly fragmentNamedIn: (message: string, attaching?: boolean) => Origin | undefined;
  /** Pairs of a kprobe and a kretprobe, which bpftrace 0.26 and later make one probe of (kprobe session, Linux 6.10). */
  readonly sessions: number;
  /** The fragments that have probes of this kind. */
  readonly fragmentsWith: (kind: ProbeKind) => readonly string[];
  /**
   * Whether bpftrace must know the types of this kernel to compile it: fentry names them. Kprobes must do without: where
   * bpftrace finds no BTF for itself (0.17 before Linux 5.11) it asks for the headers of a C library.
   */
  readonly needsKernelTypes: boolean;
  /** The probes in their order, for what is counted by probe; the intervals are last. */
  readonly probeNames: readonly string[];
}

/** Ends each tick, and the first one early. */
const intervals = ['interval:s:1', 'interval:ms:100'] as const;

/** Starts the line that ends a tick; a kernel clock value in nanoseconds follows. */
export const tickWord = 'tick';

/**
 * A map that no tick prints: bpftrace prints all maps when it ends, in the order of their names (0.17 to 0.27), so where
 * this one is there all others were.
 */
export const endMark = '@zz_end';

const substitute = (line: string, constants: ReadonlyMap<string, ConstantValue>): string =>
  line.replace(/\b[A-Z][A-Z0-9_]*\b/g, (word) => constants.get(word)?.toString() ?? word);

/**
 * Whether a message names this target itself, not one that its name is only a part of: as it is written, or as 0.23 and
 * later name the program of a probe, `tracepoint_lock_contention_end_2`.
 */
const names = (message: string, target: string): boolean => {
  const program = target.replace(/\W/g, '_');
  return (
    new RegExp(`(?<![\\w.])${target.replaceAll('.', '\\.')}(?![\\w.]*\\w)`).test(message) ||
    new RegExp(
      `\\b(?:tracepoint|kprobe|kretprobe|kfunc|kretfunc|fentry|fexit)_(?:vmlinux_)?${program}_\\d+\\b`,
    ).test(message)
  );
};

/** How many functions of a fragment have one kprobe and one kretprobe, each with a block of its own. */
const sessionsOf = ({ lines, probes }: Fragment): number => {
  const alone = (word: string): string[] =>
    probes
      .filter(({ line }) => lines[line - 1]?.startsWith(`${word}:`) && !isInList(lines, line - 1))
      .map(({ target }) => target);
  const returns = alone('kretprobe');
  return alone('kprobe').filter((target) => returns.includes(target)).length;
};

/** Whether a probe line shares its block with the one before or after it. */
const isInList = (lines: readonly string[], index: number): boolean =>
  /,\s*$/.test(lines[index] ?? '') || /^[a-z]+:.*,\s*$/.test(lines[index - 1] ?? '');

/** Those that add to a fragment. */
const addersTo = (fragment: Fragment, choices: readonly Choice[]): Fragment[] =>
  choices
    .map((choice) => choice.fragment)
    .filter(({ additions }) => additions.some((addition) => addsTo(addition, fragment)));

/** How many steps a fragment is away from the blocks it adds to; 0 where all its lines are in its own. */
const depthOf = ({ additions }: Fragment, choices: readonly Choice[]): number =>
  Math.max(
    0,
    ...choices
      .filter(({ fragment }) => additions.some((addition) => addsTo(addition, fragment)))
      .map(({ fragment }) => 1 + depthOf(fragment, choices)),
  );

/**
 * What was added to a fragment, or to what was added: where the kernel refuses its block, what is the most steps away is
 * the least loss, for nothing adds to it, and may well be the cause. Of several the last in the plan.
 */
const lastAddedTo = (fragment: Fragment, choices: readonly Choice[]): Origin | undefined => {
  const adders = new Set(addersTo(fragment, choices));
  for (const adder of adders) for (const further of addersTo(adder, choices)) adders.add(further);
  const last = choices
    .map((choice) => choice.fragment)
    .filter((other) => adders.has(other))
    .toSorted((a, b) => depthOf(a, choices) - depthOf(b, choices))
    .at(-1);
  return last && { fragment: last.name, line: (last.additions[0]?.start ?? 0) + 1 };
};

/** The joined program. */
export const joinProgram = (choices: readonly Choice[]): Program => {
  const lines: string[] = [];
  const origins: (Origin | undefined)[] = [];
  const own = (line: string): void => {
    lines.push(line);
    origins.push(undefined);
  };
  const take = ({ fragment, constants }: Choice, start: number, end: number): void => {
    for (const [offset, line] of fragment.lines.slice(start, end).entries()) {
      const comment = line.indexOf('//');
      const code = comment < 0 ? line : line.slice(0, comment);
      lines.push(substitute(code, constants) + (comment < 0 ? '' : line.slice(comment)));
      origins.push({ fragment: fragment.name, line: start + offset + 1 });
      const hook = hookOf(line);
      if (hook === undefined) continue;
      for (const other of choices)
        for (const addition of other.fragment.additions)
          if (addsTo(addition, fragment) && addition.hook === hook) take(other, addition.start, addition.end);
    }
  };

  for (const choice of choices) {
    const { fragment, constants } = choice;
    own(`// ---- ${fragment.name}.bt: ${fragment.summary}`);
    for (const [name, value] of constants) own(`// ${name} = ${value}`);
    take(choice, fragment.bodyStart, fragment.additions[0]?.start ?? fragment.lines.length);
  }

  // What was added at a hook is updated before what follows there, so it is read after it: it can only be ahead.
  const printing = choices.toSorted((a, b) => depthOf(a.fragment, choices) - depthOf(b.fragment, choices));
  const prints = new Map(
    printing.flatMap(({ fragment }) => fragment.prints.map(({ map, limit }) => [map, limit] as const)),
  );
  own('// ---- the tick');
  own(intervals[0]);
  own('{');
  for (const [map, limit] of prints)
    own(limit === undefined ? `  print(${map});` : `  print(${map}, ${limit});`);
  own(`  printf("${tickWord} %llu\\n", nsecs);`);
  own('}');
  // The first tick comes early: it says that the probes are there, and a restart need not wait a second for it. bpftrace
  // attaches what ends a wait before this, and what begins one after it or, if a tracepoint, not long before it: so from
  // @ticking on nothing begins whose end is not seen (test/probes/attach-order.test.ts).
  own(intervals[1]);
  own('/@ticking == 0/');
  own('{');
  own('  @ticking = 1;');
  own(`  ${endMark} = 1;`);
  own(`  printf("${tickWord} %llu\\n", nsecs);`);
  own('}');

  const kindsOf = ({ fragment }: Choice): readonly ProbeKind[] => fragment.probes.map(({ kind }) => kind);
  const probeNames = choices.flatMap(({ fragment }) =>
    fragment.probes.map(({ kind, target }) => `${kind}:${target}`),
  );
  return {
    text: `${lines.join('\n')}\n`,
    probes: probeNames.length + intervals.length,
    fragments: choices.map(({ fragment }) => fragment.name),
    originOf: (line) => origins[line - 1],
    fragmentNamedIn: (message, attaching = false) => {
      for (const { fragment } of choices)
        for (const { kind, target, line } of fragment.probes)
          if (names(message, target)) {
            const own = { fragment: fragment.name, line };
            // There is another source of the event, by tracepoints at last: what was added may be no fault of its own.
            const isReplaceable = fragment.tells !== undefined && kind !== 'tracepoint';
            return attaching || isReplaceable ? own : (lastAddedTo(fragment, choices) ?? own);
          }
      return undefined;
    },
    sessions: choices.reduce((sum, { fragment }) => sum + sessionsOf(fragment), 0),
    fragmentsWith: (kind) =>
      choices.filter((choice) => kindsOf(choice).includes(kind)).map(({ fragment }) => fragment.name),
    needsKernelTypes: choices.some(({ fragment }) => fragment.probes.some(({ kind }) => kind === 'fentry')),
    probeNames: [...probeNames, ...intervals],
  };
};

/** A choice with the values of its constants where there is no daemon. */
const byHand = ({ fragment, constants }: Choice): Choice => {
  const zeros = fragment.constants.filter(isZeroByHand).map(({ name }) => [name, 0] as const);
  return { fragment, constants: new Map([...constants, ...zeros]) };
};

/** The file of a fragment, with the values of its constants. */
const render = ({ fragment, constants }: Choice): string =>
  fragment.lines
    .map((line) => {
      const value = constants.get(/^#define\s+(\w+)/.exec(line)?.[1] ?? '');
      return value === undefined ? line : line.replace(/^(#define\s+\w+\s+)\d+(\s*)/, `$1${value}$2`);
    })
    .join('\n');

/**
 * A fragment as it runs by hand on this host: its file, with this kernel's constants. One that adds to others is no
 * script of its own: then it is the program of them all.
 * @param chosen where those others are found
 */
export const scriptOf = (choice: Choice, chosen: readonly Choice[]): Script => {
  const { name, additions, probes } = choice.fragment;
  if (additions.length === 0) return { text: render(byHand(choice)), probes: probes.length };
  const parts = new Set([name]);
  for (const part of parts)
    for (const addition of chosen.find((other) => other.fragment.name === part)?.fragment.additions ?? [])
      for (const { fragment } of chosen)
        if (!addition.optional && addsTo(addition, fragment)) parts.add(fragment.name);
  const program = joinProgram(chosen.filter(({ fragment }) => parts.has(fragment.name)).map(byHand));
  const others = [...parts].slice(1).map((other) => `${other}.bt`);
  const first = `// ${name}.bt is no script of its own, for it adds to ${others.join(', ')}: here they are joined.`;
  return { text: `${first}\n${program.text}`, probes: program.probes };
};
