/**
 * The state of a host in a sentence or two of plain words: who was blocked by readers in the last minute, for how much
 * of it, and who did most of that. It is made here and nowhere else, and is the same in the API, the page and top.
 */
import type { BlockColumn, HistoryColumn } from '../ledger/history.js';
import type { Named } from '../records.js';
import { countText, durationText } from '../text/wording.js';
import { type ProcFile, unknown } from '../vocabulary.js';
import type { Resolve } from './sentence.js';
import { processText } from './wording.js';

export interface HostState {
  /** Those of the last minute, see {@link lastMinute}. */
  readonly columns: readonly HistoryColumn[];
  /** Why nothing is observed right now; undefined where something is. */
  readonly blind: string | undefined;
  readonly blocksObserved: boolean;
  /** Whether wall time is known; thread-seconds are told otherwise. */
  readonly blockedTimeObserved: boolean;
  /** What the columns are of; the last minute unless told otherwise. */
  readonly span?: string | undefined;
}

const minuteMilliseconds = 60_000;

/** The columns that reach into the last minute. @param asOf of the newest tick, by the clock of the daemon */
export const lastMinute = (
  columns: readonly HistoryColumn[],
  columnSeconds: number,
  asOf: number,
): HistoryColumn[] => columns.filter(({ at }) => at + columnSeconds * 1000 > asOf - minuteMilliseconds);

/** Less is as good as nothing to a person. */
const leastPercent = 0.05;

/** One with so much of it did it alone, as far as anybody cares. */
const nearlyAll = 0.95;

/** @param resolve what is known of a cgroup */
export const hostSentence = (state: HostState, resolve: Resolve = () => undefined): string => {
  const { columns, blind, blocksObserved } = state;
  if (blind !== undefined) return `This host is not observed right now: ${blind}.`;
  const seconds = columns.reduce((sum, column) => sum + column.observedSeconds, 0);
  if (seconds === 0) return 'Observing has begun; there is nothing to tell yet.';
  const span = state.span ?? spanText(seconds);
  const blocks = blocksOf(columns);
  if (blocks.length > 0) return blockedText(state, blocks, { seconds, span, resolve });
  const waits = columns.reduce((all, column) => all + sum(column.waits), 0);
  const waited = columns.reduce((all, column) => all + sum(column.waitNanoseconds), 0);
  const nobody = blocksObserved
    ? `No reader of a proc file was seen to block anybody in ${span}`
    : 'Whether readers of proc files block anybody is not observed';
  const retries = columns.reduce(
    (all, { files }) => all + sum(Array.from(files.values(), (file) => file.retries)),
    0,
  );
  const retried = retries === 0 ? '' : `; readers had to retry ${countText(retries, 'time')}`;
  return waits === 0
    ? `${nobody}${retried}. Nobody waited for an mmap_lock.`
    : `${nobody}${retried}. Processes waited ${countText(waits, 'time')} for their own mmap_lock, ${durationText(waited)} in all.`;
};

/** `the last minute`, or of a shorter time that it was. */
const spanText = (seconds: number): string =>
  seconds > 50 ? 'the last minute' : `the ${countText(Math.max(1, Math.round(seconds)), 'second')} observed`;

const sum = (amounts: readonly number[]): number => amounts.reduce((all, amount) => all + amount, 0);

/** Those of known readers, as the columns have them. */
const blocksOf = (columns: readonly HistoryColumn[]): BlockColumn[] =>
  columns
    .flatMap(({ blocks }) => [...blocks.values()])
    .filter(({ file, nanoseconds }) => file !== unknown && nanoseconds > 0);

interface Share<Who> {
  readonly who: Who;
  nanoseconds: number;
}

/** Summed by what they have in common, the most first. */
const ranked = <Who>(
  blocks: readonly BlockColumn[],
  of: (block: BlockColumn) => Who,
  keyOf: (who: Who) => string,
): Share<Who>[] => {
  const shares = new Map<string, Share<Who>>();
  for (const block of blocks) {
    const who = of(block);
    const key = keyOf(who);
    const share = shares.get(key) ?? { who, nanoseconds: 0 };
    share.nanoseconds += block.nanoseconds;
    shares.set(key, share);
  }
  return [...shares.values()].sort((a, b) => b.nanoseconds - a.nanoseconds);
};

const namedKey = ({ name, cgroupId }: Named): string => `${cgroupId} ${name}`;

const blockedText = (
  state: HostState,
  blocks: readonly BlockColumn[],
  { seconds, span, resolve }: { readonly seconds: number; readonly span: string; readonly resolve: Resolve },
): string => {
  const total = sum(blocks.map(({ nanoseconds }) => nanoseconds));
  const files = ranked(blocks, ({ file }) => file as ProcFile, String);
  const victims = ranked(blocks, ({ victim }) => victim, namedKey);
  const readers = ranked(blocks, ({ reader }) => reader as Named, namedKey);
  const [victim, reader] = [victims[0] as Share<Named>, readers[0] as Share<Named>];
  const named = ({ who }: Share<Named>): string => processText(who, resolve(who.cgroupId, who));
  const whose =
    victim.nanoseconds >= nearlyAll * total
      ? `writers of ${named(victim)}`
      : `writers, most of all those of ${named(victim)},`;
  return (
    `Readers of ${filesText(files, total)} blocked ${whose} ${amountText(state, total, { seconds, span })}; ` +
    `${named(reader)} ${partText(reader.nanoseconds / total)}.`
  );
};

/** `smaps`, `smaps and maps`, `smaps, maps and other proc files`: those that matter. */
const filesText = (files: readonly Share<ProcFile>[], total: number): string => {
  const [first, second, ...more] = files.filter(({ nanoseconds }) => nanoseconds >= (1 - nearlyAll) * total);
  if (second === undefined) return first?.who ?? '';
  return more.length === 0
    ? `${first?.who} and ${second.who}`
    : `${first?.who}, ${second.who} and other proc files`;
};

/** `for 3.1 % of the last minute`; the wall time of several processes can be more than all of it. */
const amountText = (
  { columns, blockedTimeObserved }: HostState,
  total: number,
  { seconds, span }: { readonly seconds: number; readonly span: string },
): string => {
  if (!blockedTimeObserved) return `for ${durationText(total)} of their threads' time in ${span}`;
  const wall = sum(
    columns.map(({ files }) => sum(Array.from(files.values(), (file) => file.writersBlockedNanoseconds))),
  );
  const percent = (wall / 1e9 / seconds) * 100;
  if (percent < leastPercent) return `for less than 0.1 % of ${span}`;
  if (percent > 100) return `of several processes at once, for ${durationText(wall)} of ${span} in all`;
  return `for ${percent < 9.95 ? percent.toFixed(1) : Math.round(percent)} % of ${span}`;
};

const partText = (share: number): string => {
  if (share >= nearlyAll) return 'did it';
  return share > 0.5 ? 'did most of it' : `had the largest part, ${Math.round(share * 100)} %`;
};
