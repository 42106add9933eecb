/**
 * Joins the chosen fragments into the one program that watch mode runs: constants become this kernel's numbers, and
 * one interval block ends each tick with what the fragments print and a tick line.
 */
import type { Fragment } from './fragment.js';

/** A fragment with the values of its constants on this host. */
export interface Choice {
  readonly fragment: Fragment;
  readonly constants: ReadonlyMap<string, number>;
}

/** A place in a fragment's file; lines from 1. */
export interface Origin {
  readonly fragment: string;
  readonly line: number;
}

export interface Program {
  readonly text: string;
  /** How many probes bpftrace must report, the interval included. */
  readonly probes: number;
  readonly fragments: readonly string[];
  /** Which line of which fragment a line of the program (from 1) came from; undefined for lines of the join itself. */
  readonly originOf: (line: number) => Origin | undefined;
  /** The fragment of the probe that a message names, if it names one. */
  readonly fragmentNamedIn: (message: string) => Origin | undefined;
  /** The probes in their order, for what is counted by probe; the interval is last. */
  readonly probeNames: readonly string[];
}

/** Starts the line that ends a tick; a kernel clock value in nanoseconds follows. */
export const tickWord = 'tick';

const substitute = (line: string, constants: ReadonlyMap<string, number>): string =>
  line.replace(/\b[A-Z][A-Z0-9_]*\b/g, (word) => constants.get(word)?.toString() ?? word);

/** Whether a message names this target itself, not one that its name is only a part of. */
const names = (message: string, target: string): boolean =>
  new RegExp(`(?<![\\w.])${target.replaceAll('.', '\\.')}(?![\\w.]*\\w)`).test(message);

/** A fragment as it runs by hand on this host: the file itself, with this kernel's constants. */
export const renderFragment = ({ fragment, constants }: Choice): string =>
  fragment.lines
    .map((line) => {
      const name = /^#define\s+(\w+)/.exec(line)?.[1];
      const value = name === undefined ? undefined : constants.get(name);
      return value === undefined ? line : line.replace(/^(#define\s+\w+\s+)\d+(\s*)/, `$1${value}$2`);
    })
    .join('\n');

/** The joined program. */
export const joinProgram = (choices: readonly Choice[]): Program => {
  const lines: string[] = [];
  const origins: (Origin | undefined)[] = [];
  const own = (line: string): void => {
    lines.push(line);
    origins.push(undefined);
  };

  for (const { fragment, constants } of choices) {
    own(`// ---- ${fragment.name}.bt: ${fragment.summary}`);
    for (const [name, value] of constants) own(`// ${name} = ${value}`);
    for (const [offset, line] of fragment.lines.slice(fragment.bodyStart).entries()) {
      const comment = line.indexOf('//');
      const code = comment < 0 ? line : line.slice(0, comment);
      lines.push(substitute(code, constants) + (comment < 0 ? '' : line.slice(comment)));
      origins.push({ fragment: fragment.name, line: fragment.bodyStart + offset + 1 });
    }
  }

  const prints = new Map(
    choices.flatMap(({ fragment }) => fragment.prints.map(({ map, limit }) => [map, limit] as const)),
  );
  own('// ---- the tick');
  own('interval:s:1');
  own('{');
  for (const [map, limit] of prints)
    own(limit === undefined ? `  print(${map});` : `  print(${map}, ${limit});`);
  own(`  printf("${tickWord} %llu\\n", nsecs);`);
  own('}');

  const probeNames = choices.flatMap(({ fragment }) =>
    fragment.probes.map(({ kind, target }) => `${kind}:${target}`),
  );
  return {
    text: `${lines.join('\n')}\n`,
    probes: probeNames.length + 1,
    fragments: choices.map(({ fragment }) => fragment.name),
    originOf: (line) => origins[line - 1],
    fragmentNamedIn: (message) => {
      for (const { fragment } of choices)
        for (const { target, line } of fragment.probes)
          if (names(message, target)) return { fragment: fragment.name, line };
      return undefined;
    },
    probeNames: [...probeNames, 'interval:s:1'],
  };
};
