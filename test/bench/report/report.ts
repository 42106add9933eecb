/** What stands in the README between its marks. */
import type { Results } from '../results.js';
import { costTable, goalTable, missingList, stepTable } from './tables.js';
import { verdictsOf } from './verdict.js';

const places = (count: number): string => `${count} ${count === 1 ? 'round' : 'rounds'}`;

const hostIntro = ({ place, rounds, milliseconds }: Results): string =>
  `On a host: Linux ${place.kernel}, ${place.cpus} CPUs, bpftrace ${place.bpftrace}${place.perf === null ? '' : `, perf ${place.perf}`}; ` +
  `${places(rounds)}. In each, everything once, in another order, each between two readings without it; a reading is ` +
  `the median of batches that take ${milliseconds} ms together. A cell is the median of the ratios, ± half the distance ` +
  'of their quartiles, and of the differences. "noise" is nothing at all, measured like the others.';

const guestIntro = ({ place, rounds }: Results): string =>
  `In an emulated guest of ${place.name} (Linux ${place.kernel}, bpftrace ${place.bpftrace}), where function probes can be ` +
  `had: instructions, which the clock of the guest counts; ${places(rounds)}. Its two CPUs take turns, so that there the ` +
  'contended loops say less.';

const section = (results: Results): string[] => {
  const steps = stepTable(results);
  return [
    results.place.name === 'host' ? hostIntro(results) : guestIntro(results),
    '',
    ...costTable(results),
    '',
    ...(steps.length === 0
      ? []
      : [
          'Fragment by fragment, each column with all before it: what an operation takes more than without.',
          '',
          ...steps,
          '',
        ]),
    ...missingList(results),
  ];
};

/** Lines, with the goals first. */
export const reportOf = (all: readonly Results[]): string =>
  [...goalTable(verdictsOf(all)), '', ...all.flatMap((results) => [...section(results), ''])]
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();

const marks = { start: '<!-- bench:cost -->', end: '<!-- /bench:cost -->' } as const;

/**
 * Puts a report between the marks of a text.
 * @throws Error where the marks are not there once each, in order
 */
export const insertReport = (text: string, report: string): string => {
  const [before, rest, more] = text.split(marks.start);
  const [inside, after, other] = rest?.split(marks.end) ?? [];
  if (
    before === undefined ||
    inside === undefined ||
    after === undefined ||
    more !== undefined ||
    other !== undefined
  )
    throw new Error(`there must be one ${marks.start}, and one ${marks.end} after it`);
  return `${before}${marks.start}\n${report}\n${marks.end}${after}`;
};
