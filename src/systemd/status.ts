import { printable } from '../text/printable.js';
import type { Readiness } from '../watch/readiness.js';

/** Characters of a status: one line of `systemctl status`. */
const longest = 160;

/** What `systemctl status` shows of the daemon, in one short sentence. */
export const statusOf = ({ ready, problems }: Readiness): string => {
  const [first] = problems;
  const start = ready ? 'Observing' : 'Not observing';
  if (first === undefined) return `${start}.`;
  const text = printable(`${start}${ready ? ', but' : ''}: ${first.message}`);
  return text.length > longest ? `${text.slice(0, longest - 3)}...` : text;
};
