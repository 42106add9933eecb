/** One line that says how far a recording is, written over itself: for a terminal alone. */

import type { DaemonView } from '../../api/view.js';
import { count, someSeconds } from '../../text/figures.js';
import { countText } from '../../text/wording.js';

export interface Progress {
  readonly show: (seconds: number) => void;
  /** Takes the line away. */
  readonly end: () => void;
}

const barWidth = 20;

/** `[######..............]  9 of 30 s: 1,234 waits, 0.402 s behind readers`. */
export const progressText = (
  { ledger }: Pick<DaemonView, 'ledger'>,
  seconds: number,
  all: number,
): string => {
  const done = Math.round((seconds / all) * barWidth);
  const bar = `${'#'.repeat(done)}${'.'.repeat(barWidth - done)}`;
  const waits = [...ledger.waits.totals.values()].reduce((sum, total) => sum + total.count, 0);
  const blocked = [...ledger.blocks.files]
    .filter(([file]) => file !== '~unknown')
    .reduce((sum, [, { nanoseconds }]) => sum + nanoseconds, 0);
  return `[${bar}] ${count(Math.floor(seconds))} of ${count(all)} s: ${countText(waits, 'wait')}, ${someSeconds(blocked)} s behind readers`;
};

/** Shows nothing where the stream is no terminal. */
export const progressOn = (
  stream: Pick<NodeJS.WriteStream, 'isTTY' | 'write'>,
  view: Pick<DaemonView, 'ledger'>,
  all: number,
): Progress => {
  if (!stream.isTTY) return { show: () => {}, end: () => {} };
  let shown = '';
  return {
    show: (seconds) => {
      const text = progressText(view, seconds, all);
      if (text !== shown) stream.write(`\r\x1b[K${text}`);
      shown = text;
    },
    end: () => {
      if (shown !== '') stream.write('\r\x1b[K');
    },
  };
};
