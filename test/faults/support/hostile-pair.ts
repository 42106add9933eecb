/** A victim and a reader under one hostile name, and what may not be in any text that shows them. */
import assert from 'node:assert/strict';
import { type HostileName, hostileNames } from './hostile-names.js';
import { startNamed } from './named.js';

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

/** A victim of this name and a reader of its smaps of the same name; gives what the reader counted. */
export const runPair = async ({ bytes }: HostileName, cgroup?: string): Promise<number> => {
  const own = bytes === empty.bytes ? ['--name', ''] : [];
  const size = ['--threads', '2', '--vmas', '400', '--vma-bytes', '65536', '--seconds', '600'];
  const victim = await startNamed('writers', bytes, [...size, ...own], cgroup);
  const passes = ['--passes', '100'];
  const reader = await startNamed(
    'proc-reader',
    bytes,
    ['smaps', String(victim.pid), ...passes, ...own],
    cgroup,
  );
  const { reads } = await reader.done;
  await victim.stop();
  return Number(reads);
};
