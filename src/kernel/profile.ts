import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, MmaplockError, messageOf } from '../errors.js';
import { type Btf, parseBtf } from './btf.js';
import type { FunctionParameter } from './btf-render.js';
import { unknownKind } from './btf-types.js';
import {
  asksForLockdown,
  type FunctionTracing,
  hasKprobes,
  type Lockdown,
  readFunctionTracing,
  readLockdown,
  readMachine,
  readPossibleCpus,
  readRelease,
  readUpstream,
} from './host.js';
import { type KernelSymbol, readSymbols } from './kallsyms.js';
import { findTracefs, readTracepoint, type TracepointFormat } from './tracefs.js';

/** A tracepoint as `category:name`. */
export type TracepointName = `${string}:${string}`;

/** What to look up: the symbol table and the tracepoints are too large to be kept whole. */
export interface KernelQuestions {
  readonly symbols: Iterable<string>;
  readonly tracepoints: Iterable<TracepointName>;
}

/** Where procfs and sysfs are mounted. */
export interface KernelRoots {
  readonly proc: string;
  readonly sys: string;
}

/**
 * What the kernel of this host offers.
 *
 * A part that could not be read is in `problems`, and answers as if the kernel did not have it. Asking for a
 * symbol or tracepoint that was not among the questions throws: it would read as absent otherwise.
 */
export interface KernelProfile {
  readonly release: string;
  /** The stable release it is built from: see readUpstream(). */
  readonly upstream: readonly [number, number, number];
  readonly machine: string;
  readonly possibleCpus: number;
  readonly lockdown: Lockdown;
  /** Whether tracefs accepts kprobes. */
  readonly kprobes: boolean;
  readonly functionTracing: FunctionTracing;
  readonly btf: Btf | undefined;
  readonly problems: readonly MmaplockError[];

  /** Bytes; see Btf.memberOffset. */
  memberOffset(tag: string, path: string): number | undefined;
  hasStruct(tag: string): boolean;
  hasMember(tag: string, path: string): boolean;
  /** Bytes. */
  structSize(tag: string): number | undefined;
  /** Whether BTF describes the function, as fentry and fexit need. */
  hasFunction(name: string): boolean;
  functionParameters(name: string): FunctionParameter[] | undefined;
  hasSymbol(name: string): boolean;
  /** How often the symbol table has the name: 0 absent, more than 1 ambiguous. */
  symbolCount(name: string): number;
  symbol(name: string): KernelSymbol | undefined;
  tracepoint(name: TracepointName): TracepointFormat | undefined;
}

/**
 * Reads the profile, within 300 ms. Keep it no longer than needed: it holds the BTF, some 6 MB and an index.
 *
 * Never throws for what a host may lack: see `problems`.
 */
export async function readKernelProfile(
  asked: KernelQuestions,
  roots: KernelRoots = { proc: '/proc', sys: '/sys' },
): Promise<KernelProfile> {
  const { proc, sys } = roots;
  const problems: MmaplockError[] = [];
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      problems.push(expected(error));
      return undefined;
    }
  };

  const symbolNames = new Set(asked.symbols);
  const tracepointNames = new Set(asked.tracepoints);
  const btf = attempt(() => parseBtf(readBtf(join(sys, 'kernel/btf/vmlinux'))));
  if (btf?.unknown !== undefined) problems.push(unknownKind(btf.unknown));
  const tracefs = attempt(() => findTracefs(sys));
  const tracepoints =
    tracefs === undefined ? undefined : attempt(() => readTracepoints(tracepointNames, tracefs));
  const symbols = await readSymbols(symbolNames, join(proc, 'kallsyms')).catch((error: unknown) => {
    problems.push(expected(error));
    return undefined;
  });

  const lookUp = <K extends string, V>(
    what: string,
    names: Set<K>,
    values: Map<K, V> | undefined,
    name: K,
  ) => {
    if (!names.has(name)) throw new Error(`the ${what} ${name} was not asked for`);
    return values?.get(name);
  };
  const symbol = (name: string) => lookUp('symbol', symbolNames, symbols, name);
  const tracepoint = (name: TracepointName) => lookUp('tracepoint', tracepointNames, tracepoints, name);
  const askBtf = btfQuestions(btf, problems);
  const lockdown = tellLockdown(roots, problems);

  return {
    release: readRelease(proc),
    upstream: readUpstream(proc),
    machine: readMachine(proc),
    possibleCpus: readPossibleCpus(sys),
    lockdown,
    kprobes: tracefs !== undefined && hasKprobes(tracefs),
    functionTracing:
      tracefs === undefined ? { list: 'absent', errno: undefined } : readFunctionTracing(tracefs),
    btf,
    problems,
    memberOffset: (tag, path) => askBtf((types) => types.memberOffset(tag, path)),
    hasStruct: (tag) => askBtf((types) => types.hasStruct(tag)) ?? false,
    hasMember: (tag, path) => askBtf((types) => types.hasMember(tag, path)) ?? false,
    structSize: (tag) => askBtf((types) => types.structSize(tag)),
    hasFunction: (name) => askBtf((types) => types.hasFunction(name)) ?? false,
    functionParameters: (name) => askBtf((types) => types.functionParameters(name)),
    hasSymbol: (name) => symbol(name) !== undefined,
    symbolCount: (name) => symbol(name)?.addresses.length ?? 0,
    symbol,
    tracepoint,
  };
}

/**
 * How far this kernel is locked down. Confidentiality shows where securityfs is not mounted, too; it is the one reason
 * then, for what else is lacking comes of it, and advice on that would not help.
 */
function tellLockdown({ proc, sys }: KernelRoots, problems: MmaplockError[]): Lockdown {
  const said = readLockdown(sys);
  const has = (wanted: string): boolean => problems.some(({ code }) => code === wanted);
  const shown =
    said === 'confidentiality' ||
    has('kernel_lockdown') ||
    (said === 'unknown' && has('tracefs_missing') && asksForLockdown(proc));
  if (!shown) return said;
  const others = problems.filter(({ code }) => !/^(?:tracefs_|kernel_lockdown)/.test(code));
  const message = 'the kernel is locked down (confidentiality): no BPF program may read its memory';
  problems.splice(0, problems.length, new MmaplockError('kernel_lockdown', message), ...others);
  return 'confidentiality';
}

function readBtf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const code = errnoOf(error) === 'ENOENT' ? 'btf_missing' : 'btf_unreadable';
    throw new MmaplockError(code, `${path}: ${messageOf(error)}`, { field: path, cause: error });
  }
}

function readTracepoints(
  names: ReadonlySet<TracepointName>,
  tracefs: string,
): Map<TracepointName, TracepointFormat> {
  const formats = new Map<TracepointName, TracepointFormat>();
  for (const name of names) {
    const colon = name.indexOf(':');
    const format = readTracepoint(name.slice(0, colon), name.slice(colon + 1), tracefs);
    if (format !== undefined) formats.set(name, format);
  }
  return formats;
}

/** Damage found by a question becomes a problem, once, and no answer. */
function btfQuestions(btf: Btf | undefined, problems: MmaplockError[]) {
  const told = new Set(problems.map(({ code }) => code));
  return <T>(question: (btf: Btf) => T): T | undefined => {
    if (btf === undefined) return undefined;
    try {
      return question(btf);
    } catch (error) {
      const problem = expected(error);
      if (!told.has(problem.code)) problems.push(problem);
      told.add(problem.code);
      return undefined;
    }
  };
}

/** Lets defects of ours through: only errors a host can cause are problems of the host. */
function expected(error: unknown): MmaplockError {
  if (error instanceof MmaplockError) return error;
  throw error;
}
