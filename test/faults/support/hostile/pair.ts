/** A victim and a reader under one hostile name, and what may not be in any text that shows them. */
import assert from 'node:assert/strict';
import { startNamed } from '../named.js';
import { type HostileName, hostileNames } from './names.js';

/** No file has it, so its process gives it to itself. */
const empty: HostileName = { what: 'an empty name', bytes: Buffer.from('wl-empty'), shown: '\\x00' };
export const names = [...hostileNames, empty];
/** Controls, the two that divide lines and rows of a text apart; and what makes text run backwards. */
const disturbing = /[\0-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff\ufffd]/u;
export const assertHarmless = (text: string, where: string): void => {
  const found = disturbing.exec(text);
  const around =
    found === null ? '' : JSON.stringify(text.slice(Math.max(0, found.index - 60), found.index + 20));
  assert.equal(found, null, `${where}: ${around}`);
};

export interface HostilePair {
  /** Ends both, the reader once it has made its passes where it has a number of them; gives the reads that it counted. */
  stop(): Promise<number>;
}

export interface PairOptions {
  /** Passes of the reader; until it is stopped where they are left out. */
  readonly passes?: number;
  /** A directory of cgroup2 for both. */
  readonly cgroup?: string;
}

/** Starts a victim of this name and a reader of its smaps of the same name. */
export const startPair = async (
  { bytes }: HostileName,
  { passes, cgroup }: PairOptions = {},
): Promise<HostilePair> => {
  const own = bytes === empty.bytes ? ['--name', ''] : [];
  const forever = ['--seconds', '600'];
  const size = ['--threads', '2', '--vmas', '400', '--vma-bytes', '65536'];
  const victim = await startNamed('writers', bytes, [...size, ...forever, ...own], cgroup);
  const work = passes === undefined ? forever : ['--passes', String(passes)];
  const reader = await startNamed(
    'proc-reader',
    bytes,
    ['smaps', String(victim.pid), ...work, ...own],
    cgroup,
  );
  return {
    stop: async () => {
      if (passes === undefined) await reader.stop();
      const { reads } = await reader.done;
      await victim.stop();
      return Number(reads);
    },
  };
};
