/** Kernels and fragments made by hand, for tests of what is decided from them. */
import type { Btf } from '../../src/kernel/btf.js';
import type { KernelProfile } from '../../src/kernel/profile.js';
import { type Fragment, parseFragment } from '../../src/probes/fragment/fragment.js';
import type { PlanOptions } from '../../src/probes/refusals.js';

/** Nothing that a kernel has is left out. */
export const everything: PlanOptions = {
  allow: ['tracepoint', 'kprobe', 'fentry'],
  disable: [],
  reads: 'exact',
  retries: 'on',
  vma_waits: 'on',
  watched_victims: 'on',
  rejected: new Map(),
};

/** What a made-up kernel has; everything else it lacks. */
export interface FakeKernel {
  readonly machine?: string;
  readonly upstream?: readonly [number, number, number];
  readonly kprobes?: boolean;
  readonly functionTracing?: KernelProfile['functionTracing']['list'];
  /** False: its BTF cannot be read, so it has no members either. */
  readonly btf?: boolean;
  /** `struct.path` to bytes. */
  readonly members?: Readonly<Record<string, number>>;
  readonly sizes?: Readonly<Record<string, number>>;
  /** Name to how often the symbol table has it. */
  readonly symbols?: Readonly<Record<string, number>>;
  /** Addresses of these symbols; of the others they are hidden. */
  readonly addresses?: Readonly<Record<string, bigint>>;
  /** Functions in BTF. */
  readonly functions?: readonly string[];
  /** Functions in BTF, with the types of their parameters. */
  readonly parameters?: Readonly<Record<string, readonly string[]>>;
  /** `category:name` to its fields. */
  readonly tracepoints?: Readonly<Record<string, readonly string[]>>;
  readonly problems?: KernelProfile['problems'];
}

const own = <T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined =>
  record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;

const field = (name: string) => ({
  name,
  declaration: `int ${name}`,
  type: 'int',
  offset: 8,
  size: 4,
  signed: true,
});

export const fakeKernel = (has: FakeKernel = {}): KernelProfile => {
  const readable = has.btf ?? true;
  const memberOffset = (tag: string, path: string) =>
    readable ? own(has.members, `${tag}.${path}`) : undefined;
  const structSize = (tag: string) => (readable ? own(has.sizes, tag) : undefined);
  const symbolCount = (name: string) => own(has.symbols, name) ?? 0;
  const symbol: KernelProfile['symbol'] = (name) => {
    const count = symbolCount(name);
    const address = own(has.addresses, name) ?? 0n;
    if (count === 0) return undefined;
    return { addresses: Array(count).fill(address), hidden: address === 0n };
  };
  const tracepoint: KernelProfile['tracepoint'] = (name) => {
    const fields = own(has.tracepoints, name);
    return fields === undefined ? undefined : { id: 1, fields: fields.map(field) };
  };
  return {
    release: '6.18.0-fake',
    upstream: has.upstream ?? [6, 18, 0],
    machine: has.machine ?? 'x86_64',
    possibleCpus: 2,
    lockdown: 'none',
    kprobes: has.kprobes ?? false,
    functionTracing: { list: has.functionTracing ?? 'absent', errno: undefined },
    // nothing here asks it but through the profile
    btf: readable ? ({} as Btf) : undefined,
    problems: has.problems ?? [],
    memberOffset,
    hasStruct: (tag) => structSize(tag) !== undefined,
    hasMember: (tag, path) => memberOffset(tag, path) !== undefined,
    structSize,
    hasFunction: (name) => has.functions?.includes(name) ?? false,
    functionParameters: (name) =>
      readable ? own(has.parameters, name)?.map((type) => ({ name: '', type })) : undefined,
    hasSymbol: (name) => symbolCount(name) > 0,
    symbolCount,
    symbol,
    tracepoint,
  };
};

/** The parts of a fragment's text; each has a working default. */
export interface FragmentParts {
  readonly header?: readonly string[];
  readonly defines?: readonly string[];
  readonly body?: string;
}

export const plainBody = 'tracepoint:lock:contention_begin\n{\n  @waits[args->flags] = count();\n}\n';

/** Text of a fragment. */
export const fragmentText = ({
  header = ['mode watch', 'provides waits', 'cost none'],
  defines = [],
  body = plainBody,
}: FragmentParts = {}): string =>
  [
    '// sample.bt  What it shows.',
    '//',
    ...header.map((line) => `//@ ${line}`),
    ...defines.map((line) => `#define ${line}`),
    '',
    body,
  ].join('\n');

/** A fragment parsed from its parts. */
export const fragmentOf = (name: string, parts: FragmentParts = {}): Fragment =>
  parseFragment(name, fragmentText(parts));

/** A kernel that has whatever these fragments ask for, but the kinds of probes that are not asked for. */
export const kernelFor = (fragments: readonly Fragment[], more: Partial<FakeKernel>): FakeKernel => {
  const tracepoints: Record<string, string[]> = {};
  const addFields = (tracepoint: string, fields: readonly string[]): void => {
    tracepoints[tracepoint] = [...(tracepoints[tracepoint] ?? []), ...fields];
  };
  const symbols: Record<string, number> = {};
  const members: Record<string, number> = {
    'pt_regs.orig_ax': 120,
    'pt_regs.di': 112,
    'pt_regs.si': 104,
    'pt_regs.ax': 80,
    'pt_regs.r10': 56,
  };
  for (const { probes, needs, constants } of fragments) {
    for (const { kind, target, fields } of probes)
      if (kind === 'tracepoint') addFields(target, fields);
      else symbols[target] = 1;
    for (const { tracepoint, field } of needs.fields) addFields(tracepoint, [field]);
    for (const symbol of needs.symbols) symbols[symbol] = 1;
    for (const { source } of constants)
      if (source.from === 'offset') members[source.of[0]!] = 8;
      else if (source.from === 'address') symbols[source.of] = 1;
  }
  return {
    tracepoints,
    symbols,
    members,
    sizes: { pt_regs: 168 },
    functions: Object.keys(symbols),
    addresses: Object.fromEntries(Object.keys(symbols).map((name) => [name, 1n])),
    ...more,
  };
};
