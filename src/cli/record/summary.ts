/** What a recording says on the terminal. What was not looked at is said as such, and never as 0. */

import type { DaemonView } from '../../api/view.js';
import { isoTime } from '../../clock.js';
import { limitsOf } from '../../probes/limits.js';
import { countText } from '../../text/wording.js';
import { observables } from '../../vocabulary.js';
import { incidentLines } from './incidents.js';
import { observedSeconds, type Recording } from './recording.js';
import { blockLines, convoyLines, processLines, readerLines, waitLines } from './tables.js';

/** As much of a daemon as is looked at. */
export type Seen = Pick<
  DaemonView,
  'ledger' | 'plan' | 'lockPaths' | 'kernel' | 'cgroup' | 'processName' | 'config' | 'now' | 'timeOfDay'
>;

/** The whole text, with a line feed at its end. */
export const summaryOf = (recording: Recording<Seen>): string => {
  const { view } = recording;
  const paragraphs = [
    timeLines(recording),
    waitLines(view),
    processLines(view),
    readerLines(view),
    blockLines(view),
    convoyLines(view),
    incidentLines(recording),
    notObservedLines(view),
    notCountedLines(view),
    limitLines(view),
  ].filter((lines) => lines.length > 0);
  return `${paragraphs.map((lines) => lines.join('\n')).join('\n\n')}\n`;
};

const timeLines = (recording: Recording<Seen>): string[] => {
  const { view, startedAt, endedAt, gaps } = recording;
  const [begin, end] = [isoTime(view, startedAt), isoTime(view, endedAt)];
  const during = `${begin.slice(0, 10)} from ${begin.slice(11, 19)} to ${end.slice(11, 19)} UTC`;
  const observed = `${observedSeconds(recording).toFixed(1)} s`;
  return [
    `Observed for ${observed} on Linux ${view.kernel.release}: ${during}.`,
    ...gaps.map(
      ({ reason, seconds }) =>
        `Of that time ${seconds.toFixed(1)} s were not observed (${reason}): what happened then is in no figure below.`,
    ),
  ];
};

/** What no fragment of this version provides is missing on no host. */
const notObservedLines = ({ plan }: Seen): string[] => {
  const lacking = observables.flatMap((what) => {
    const { observed, reason } = plan().observables[what];
    return observed || reason?.code === 'nothing_to_observe' || what === 'holds' ? [] : [{ what, reason }];
  });
  if (lacking.length === 0) return [];
  const width = Math.max(...lacking.map(({ what }) => what.length));
  return [
    'Not observed:',
    ...lacking.map(({ what, reason }) => `  ${what.padEnd(width)}  ${reason?.detail ?? 'reason unknown'}`),
  ];
};

const notCountedLines = ({ ledger: { tracer } }: Seen): string[] => {
  const refused = [...tracer.overflows.values()].reduce((sum, updates) => sum + updates, 0);
  const updates = [...tracer.lostUpdates.values()].reduce((sum, events) => sum + events, 0);
  const lost = [
    [tracer.lostEvents - updates, 'event', 'bpftrace could not hand over'],
    [updates, 'map update', 'the kernel refused'],
    [tracer.decodeErrors, 'line', 'could not be understood'],
    [refused, 'update', 'a full map refused'],
  ] as const;
  const told = lost.filter(([amount]) => amount > 0);
  if (told.length === 0) return [];
  return [
    'Lost, so that figures above may be too low:',
    ...told.map(([amount, what, why]) => `  ${countText(amount, what)} that ${why}`),
  ];
};

const limitLines = ({ plan }: Seen): string[] => {
  const { length } = limitsOf(plan());
  return length === 0
    ? []
    : [`What these probes cannot see: ${countText(length, 'thing')}; \`mmaplockd check\` names them.`];
};
