/** What is measured against a host on which nothing of the kind runs. */

export type Start =
  /** Nothing at all: what this differs from "off" is noise. */
  | { readonly kind: 'nothing' }
  /** The daemon with these flags. */
  | { readonly kind: 'daemon'; readonly args: readonly string[] }
  /** What `mmaplockd dump-program` prints under these flags, run by bpftrace without the daemon. */
  | { readonly kind: 'program'; readonly args: readonly string[] }
  /** The daemon in watch mode, and beside it what `mmaplockd dump-program --inspect` prints. */
  | { readonly kind: 'inspect' }
  | { readonly kind: 'perf' }
  | { readonly kind: 'bpftrace'; readonly text: string };

/** `steps`: fragment by fragment, each with all before it. */
export type Group = 'control' | 'daemon' | 'steps' | 'inspect' | 'others' | 'tiers';

export interface Config {
  readonly name: string;
  /** Heads its column. */
  readonly title: string;
  readonly group: Group;
  readonly start: Start;
}

/** Counts every acquisition of every mmap_lock, as a user would, and shows once a second that it does. */
export const oneLiner = 'tracepoint:mmap_lock:* { @[probe] = count(); } interval:s:1 { print(@); }';

const sources = (event: string): string[] =>
  ['tracepoint', 'fentry', 'kprobe'].map((kind) => `${event}-${kind}`);

/** What is left out before each step, the last first. */
const evidence = ['blocked-time', 'victim-blocked-time', 'convoys', 'stalls'];
const blocks = ['blocks', ...evidence];
const readerWaits = ['reader-waits', ...blocks];
const queries = [...sources('queries'), 'procmap-query', ...readerWaits];

const program = (...disabled: readonly string[]): Start => ({
  kind: 'program',
  args: ['--retries=off', ...disabled.map((name) => `--probes.disable=${name}`)],
});
const daemon = (...args: readonly string[]): Start => ({ kind: 'daemon', args });

/** On the kernel of this host. */
export const hostConfigs: readonly Config[] = [
  { name: 'nothing', title: 'noise', group: 'control', start: { kind: 'nothing' } },
  { name: 'waits', title: '`--reads off`', group: 'daemon', start: daemon('--reads=off', '--retries=off') },
  { name: 'opens', title: '`--reads opens`', group: 'daemon', start: daemon('--reads=opens') },
  { name: 'reads', title: 'and reads', group: 'steps', start: program(...queries) },
  { name: 'queries', title: 'and queries', group: 'steps', start: program(...readerWaits) },
  { name: 'reader_waits', title: 'and waits of readers', group: 'steps', start: program(...blocks) },
  { name: 'blocks', title: 'and blocks', group: 'steps', start: program(...evidence) },
  { name: 'retries_off', title: '`--retries off`', group: 'daemon', start: daemon('--retries=off') },
  { name: 'watch', title: 'all (the default)', group: 'daemon', start: daemon() },
  { name: 'inspect', title: 'inspect mode', group: 'inspect', start: { kind: 'inspect' } },
  { name: 'perf', title: '`perf lock record -a`', group: 'others', start: { kind: 'perf' } },
  {
    name: 'one_liner',
    title: 'bpftrace on `mmap_lock:*`',
    group: 'others',
    start: { kind: 'bpftrace', text: oneLiner },
  },
];

/** On a guest, where starting anything takes long: the kinds of probes against each other. */
export const guestConfigs: readonly Config[] = [
  { name: 'nothing', title: 'noise', group: 'control', start: { kind: 'nothing' } },
  {
    name: 'waits',
    title: 'waits alone',
    group: 'tiers',
    start: { kind: 'program', args: ['--reads=off', '--retries=off'] },
  },
  {
    name: 'watch',
    title: 'watch, fentry (the default)',
    group: 'tiers',
    start: { kind: 'program', args: [] },
  },
  {
    name: 'kprobes',
    title: 'watch, kprobes',
    group: 'tiers',
    start: { kind: 'program', args: ['--probes.allow=tracepoint,kprobe'] },
  },
  {
    name: 'one_liner',
    title: 'bpftrace on `mmap_lock:*`',
    group: 'others',
    start: { kind: 'bpftrace', text: oneLiner },
  },
];

/** The steps from nothing to watch mode, in their order, by the names of the configurations. */
export const stepNames: readonly string[] = hostConfigs
  .filter(({ group }) => group === 'daemon' || group === 'steps')
  .map(({ name }) => name);
