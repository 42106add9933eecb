/** The results in Markdown. */

import { stepNames } from '../configs.js';
import { type LoopName, loops } from '../loops.js';
import type { Column, Results } from '../results.js';
import { addedText, durationText, inUnit, ratioText } from './figures.js';
import type { Measure } from './goals.js';
import type { Verdict } from './verdict.js';

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const table = (head: readonly string[], body: readonly (readonly string[])[]): string[] => [
  row(head),
  row(head.map(() => '---')),
  ...body.map(row),
];

const loopTable = (
  { off, place }: Results,
  columns: readonly Column[],
  text: (cell: NonNullable<Column['cells'][keyof Column['cells']]>) => string,
): string[] =>
  table(
    ['loop', 'without', ...columns.map(({ title }) => title)],
    loops.flatMap(({ name, title }) => {
      const without = off[name];
      if (without === undefined) return [];
      const cells = columns.map(({ cells: { [name]: cell } }) => (cell === undefined ? '' : text(cell)));
      return [[title, durationText(without, place.unit), ...cells]];
    }),
  );

/** Ratio, its spread, and what is added. */
export const costTable = (results: Results): string[] =>
  loopTable(
    results,
    results.columns.filter(({ group }) => group !== 'steps'),
    ({ ratio, added }) => `${ratioText(ratio)} (${addedText(added.median, results.place.unit)})`,
  );

/** Fragment by fragment, each column with all before it: what is added to nothing at all. */
export const stepTable = (results: Results): string[] => {
  const named = stepNames.flatMap((name) => results.columns.find((column) => column.name === name) ?? []);
  if (!named.some(({ group }) => group === 'steps')) return [];
  const titles: Readonly<Record<string, string>> = {
    waits: 'waits',
    opens: 'and opens',
    retries_off: 'and evidence (`--retries off`)',
    watch: 'and retries (all)',
  };
  const columns = named.map((column) => ({ ...column, title: titles[column.name] ?? column.title }));
  return loopTable(results, columns, ({ added }) => addedText(added.median, results.place.unit));
};

const titleOf = (name: LoopName): string => loops.find((loop) => loop.name === name)?.title ?? name;

/** Besides the worst, which is named already. */
const alsoOver = ({ limit, unit }: Verdict['goal'], { loop, byLoop = [] }: Measure): string => {
  const others = byLoop.filter((one) => one.loop !== loop && one.spread.median > limit);
  const named = others.map((one) => `${titleOf(one.loop)} ${inUnit(one.spread.median, unit)}`);
  return named.length === 0 ? '' : `; over it, too: ${named.join(', ')}`;
};

const verdictText = ({ goal, measure, met, stretched, missedBy, close }: Verdict): string => {
  if (measure === undefined) return 'not measured';
  const almost = close ? ' (the quartiles lie on both sides)' : '';
  if (met) {
    const further =
      goal.stretch === undefined ? '' : `, the stretch of ${goal.stretch} ${stretched ? 'too' : 'not'}`;
    return `met${further}${almost}`;
  }
  // A ratio is missed by a difference of ratios.
  const by = goal.unit === 'x' ? missedBy.toFixed(2) : inUnit(missedBy, goal.unit);
  return `**missed by ${by}**${almost}${alsoOver(goal, measure)}${goal.why === undefined ? '' : `: ${goal.why}`}`;
};

export const goalTable = (verdicts: readonly Verdict[]): string[] =>
  table(
    ['goal', 'on', 'limit', 'measured (quartiles)', 'verdict'],
    verdicts.map((verdict) => {
      const { goal, place, measure } = verdict;
      const measured =
        measure === undefined
          ? '-'
          : `${inUnit(measure.spread.median, goal.unit)} (${inUnit(measure.spread.lower, goal.unit)} to ${inUnit(measure.spread.upper, goal.unit)})${measure.loop === undefined ? '' : ` (${titleOf(measure.loop)})`}`;
      return [
        goal.text,
        place,
        `${goal.bound} ${inUnit(goal.limit, goal.unit)}`,
        measured,
        verdictText(verdict),
      ];
    }),
  );

/** What was asked for and did not run, with the reason. */
export const missingList = ({ notMeasured, place }: Results): string[] =>
  notMeasured.map(
    ({ title, reason }) =>
      `- Not measured on ${place.name}: ${title}: ${reason.replaceAll(/\s+/g, ' ').slice(0, 300)}`,
  );
