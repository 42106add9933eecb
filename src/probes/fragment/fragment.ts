/**
 * A fragment: one file of bpf/, a bpftrace script that runs by hand and also says what the plan must know.
 *
 *   // NAME.bt  One line of what it shows.
 *   //@ mode watch|inspect|start                always on, time-boxed on request, or once when the daemon starts
 *   //@ runs when SWITCH POSITION...            only in these positions of a switch of the operator: reads, retries,
 *                                               vma_waits; watched_victims is on where victims are named
 *   //@ provides WHAT [when CONSTANT[: WHY]]    observables (src/vocabulary.ts); "when": only if CONSTANT is not 0; WHY
 *                                               says why there is nothing to observe on a kernel where it is 0
 *   //@ tells EVENT                             a source: its probes tell of an event, at the hooks of its blocks
 *   //@ cost TEXT                               what it costs others, measured
 *   //@ rank N                                  lower is preferred where two provide or tell the same (default 100)
 *   //@ needs symbol NAME                       beyond what its probes and constants show
 *   //@ needs no symbol NAME: WHY               does not run where the kernel has it, or where that cannot be told
 *   //@ needs field CATEGORY:NAME.FIELD[: WHY]  of a tracepoint; WHY is what to tell where the kernel lacks it
 *   //@ needs release N[ or N]...: WHY          the last is the release of Linux from which on it may run, those before
 *                                               it are stable releases, each for its own series
 *   //@ needs fragment NAME                     runs only where that one runs
 *   //@ needs event EVENT                       runs only where a source of that event runs
 *   //@ prints @map[:LIMIT] ...                 what each tick prints, in this order; LIMIT: largest values only
 *   //@ at FRAGMENT|EVENT HOOK [if it runs]     behind all probes: the lines that follow belong at that hook
 *   #define NAME 123   // WHAT                  123 is replaced by what this host has; WHAT is one of
 *                         offset STRUCT.MEMBER[|STRUCT.MEMBER]... [or 0]   bytes, of the first that this kernel has
 *                         size STRUCT [or 0]                               bytes
 *                         address SYMBOL [or 0]                            compare it as uint64: it can exceed 2^63
 *                         host FACT                                        src/probes/constants.ts; 0 where unknown
 *                         option NAME                                      what the operator says, else this number
 *
 * "or 0" is for what a kernel may lack. `host daemon_pid` is 0 in the file: by hand there is no daemon. No fragment
 * may depend on itself by `needs fragment`.
 *
 * Everything else it needs (probe kinds, tracepoints and their fields) is read off its probes, so that what is
 * declared cannot drift from what is used.
 *
 * A function probe whose line ends with `// if there` is left out, with its block, where the kernel lacks the function;
 * a tracepoint whose line ends with `// if there is NAME`, where the kernel lacks that function: one it is of no use without.
 *
 * A hook is a line `//@ hook NAME: WHAT IS SET` inside a block. Others that need the fragment may add lines there, so
 * that an event both look at has one probe and is measured once; a fragment may consist of such additions alone. They
 * use only fields of `args` that the block itself uses.
 *
 * An event is something that kernels let be seen in different ways: `reads`, say, by function probes or by tracepoints.
 * Each way is a source, one file of its own, named EVENT-KIND.bt, which `tells` the event and has its hooks. What it
 * means is in fragments that need the event and add to it, whatever the source. Of the sources that a host can run the
 * one with the lowest rank runs, and none where nobody needs it.
 */
import { MmaplockError } from '../../errors.js';
import { type Constant, parseConstants } from './constants.js';
import { type Directive, type Header, parseDirectives } from './header.js';
import { type Addition, isAddition, parseAdditions } from './hooks.js';
import type { Malformed } from './malformed.js';
import { type ProbePoint, parseProbes } from './probes.js';

export interface Fragment extends Header {
  readonly name: string;
  readonly summary: string;
  readonly constants: readonly Constant[];
  readonly probes: readonly ProbePoint[];
  /** Lines for the hooks of others. */
  readonly additions: readonly Addition[];
  /** Every line of the file, so that a compiler's line number can be given back as the file's. */
  readonly lines: readonly string[];
  /** Index of the first line after header and constants. */
  readonly bodyStart: number;
}

/**
 * Reads one fragment.
 * @throws MmaplockError `fragment_malformed`, naming file and line.
 */
export const parseFragment = (name: string, text: string): Fragment => {
  const malformed: Malformed = (index, what) =>
    new MmaplockError('fragment_malformed', `${name}.bt:${index + 1}: ${what}`, { field: `${name}.bt` });
  const lines = text.split('\n');
  const { directives, defines, bodyStart } = divide(lines, malformed);
  const header = parseDirectives(directives, malformed);
  const constants = parseConstants(defines, malformed);
  const additions = parseAdditions(lines, [...header.needs.fragments, ...header.needs.events], malformed);
  const probes = parseProbes(lines.slice(0, additions[0]?.start), bodyStart, malformed);

  if (probes.length + additions.length === 0) throw malformed(0, 'no probe found');
  for (const { when } of header.provides)
    if (when !== undefined && !constants.some((constant) => constant.name === when))
      throw malformed(0, `provides ... when ${when}: no such #define`);
  const body = lines.slice(bodyStart).join('\n');
  for (const { map } of header.prints)
    if (!new RegExp(`${map}\\b`).test(body)) throw malformed(0, `prints ${map}: no probe has such a map`);

  const summary = (lines[0] ?? '').replace(/^\/\/\s*\S+\.bt\s+/, '').trim();
  return { name, summary, ...header, constants, probes, additions, lines, bodyStart };
};

interface Parts {
  readonly directives: readonly Directive[];
  readonly defines: readonly { readonly index: number; readonly line: string }[];
  readonly bodyStart: number;
}

/** Header, constants and body, which come in this order. */
const divide = (lines: readonly string[], malformed: Malformed): Parts => {
  const directives: Directive[] = [];
  const defines: { index: number; line: string }[] = [];
  let bodyStart = 0;
  let inBody = false;
  for (const [index, line] of lines.entries()) {
    if (isAddition(line)) {
      inBody = true;
      continue;
    }
    if (line.startsWith('//') && !inBody && defines.length === 0) bodyStart = index + 1;
    if (line.startsWith('//@')) {
      const [, word, value] = /^\/\/@\s+(\w+)\s+(.*\S)\s*$/.exec(line) ?? [];
      if (word === undefined || value === undefined) throw malformed(index, 'a directive is //@ WORD VALUE');
      directives.push({ index, word, value });
    } else if (line.startsWith('#')) {
      if (inBody) throw malformed(index, 'constants come before the first probe');
      defines.push({ index, line });
      bodyStart = index + 1;
    } else if (line.trim() !== '' && !line.startsWith('//')) {
      inBody = true;
    }
  }
  return { directives, defines, bodyStart };
};
