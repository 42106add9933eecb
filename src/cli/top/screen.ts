/** What `top` shows, line by line: text of a width, without any control character but those that set it off. Pure. */

import { count } from '../../text/figures.js';
import { printable } from '../../text/printable.js';
import { durationText } from '../../text/wording.js';
import type { Snapshot } from './snapshot.js';
import { sparkline } from './sparkline.js';
import { keyHelp, type TopState } from './state.js';
import { chosenLines, type Line, type View, viewNames, views } from './views.js';

export interface ScreenOptions {
  readonly width: number;
  readonly height: number;
  /** Bold and inverse text. */
  readonly styled: boolean;
  readonly unicode: boolean;
  /** Whom it was asked. */
  readonly source: string;
  /** Why what is shown is old; undefined where it is not. */
  readonly trouble: string | undefined;
}

type Style = 'bold' | 'inverse' | 'dim' | 'plain';
const codes: Readonly<Record<Style, string>> = { bold: '1', inverse: '7', dim: '2', plain: '' };

/** Text that is set off as a whole. */
interface Styled {
  readonly text: string;
  readonly style: Style;
}

const plain = (text: string): Styled => ({ text, style: 'plain' });

/** Rows of each table where all of them are shown, at least. */
const fewRows = 2;

export const screenOf = (
  snapshot: Snapshot | undefined,
  before: Snapshot | undefined,
  state: TopState,
  options: ScreenOptions,
): string[] => {
  const lines = [...head(snapshot, state, options), ...body(snapshot, before, state, options)];
  const room = options.height - 1;
  const shown = [...lines.slice(0, room), ...Array<Styled>(Math.max(0, room - lines.length)).fill(plain(''))];
  return [...shown, foot(state)].map((line) => render(line, options));
};

/** All rows without a screen around them: for a pipe. */
export const pageOf = (
  snapshot: Snapshot,
  before: Snapshot | undefined,
  state: TopState,
  options: ScreenOptions,
): string[] => {
  const tables = viewNames.flatMap((name) => {
    const { length } = chosenLines(views[name].lines(snapshot, before), state);
    return [plain(''), ...table(views[name], { snapshot, before, state, rows: Math.min(length, 50) })];
  });
  return [...head(snapshot, state, options), ...tables].map((line) => render(line, options).trimEnd());
};

const render = ({ text, style }: Styled, { width, styled }: ScreenOptions): string => {
  const cut = [...printable(text)].slice(0, width).join('');
  if (!styled || style === 'plain') return cut;
  return `\x1b[${codes[style]}m${style === 'inverse' ? cut.padEnd(width) : cut}\x1b[0m`;
};

const head = (snapshot: Snapshot | undefined, state: TopState, options: ScreenOptions): Styled[] => {
  const { width, source, trouble } = options;
  const time =
    snapshot === undefined || snapshot.at === 0
      ? []
      : [`${new Date(snapshot.at).toISOString().slice(11, 19)} UTC`];
  const mark = trouble === undefined ? (state.paused ? 'PAUSED' : 'live') : 'NO ANSWER';
  // What a narrow terminal cuts off is the address, which the person at it has given.
  const title: Styled = { text: ['mmaplockd top', mark, ...time, source].join('  '), style: 'bold' };
  if (snapshot === undefined) return [title, plain(trouble ?? 'asking ...')];
  const health = trouble ?? (snapshot.problems.length === 0 ? undefined : snapshot.problems.join('; '));
  return [
    title,
    ...wrapped(snapshot.sentence, width, 3).map(plain),
    ...(health === undefined
      ? []
      : wrapped(`! ${health}`, width, 2).map((text): Styled => ({ text, style: 'bold' }))),
    plain(waitsLine(snapshot, options)),
  ];
};

/** The last of them: how much was waited in each column, as far back as there is room. */
const waitsLine = ({ columns }: Snapshot, { width, unicode }: ScreenOptions): string => {
  const rates = columns.map(({ wait_seconds, observed_seconds }) =>
    observed_seconds === 0
      ? null
      : wait_seconds.reduce((sum, seconds) => sum + seconds, 0) / observed_seconds,
  );
  const [label, now] = ['waits ', ` ${rateText(rates.at(-1) ?? 0)} now`];
  const room = Math.max(1, width - label.length - now.length);
  return `${label}${sparkline(rates.slice(-room), unicode)}${now}`;
};

const body = (
  snapshot: Snapshot | undefined,
  before: Snapshot | undefined,
  state: TopState,
  options: ScreenOptions,
): Styled[] => {
  if (state.help) return [plain(''), ...keyHelp.map(([keys, what]) => plain(`  ${keys.padEnd(14)}${what}`))];
  if (snapshot === undefined) return [];
  const room = options.height - 1 - head(snapshot, state, options).length;
  if (state.view !== undefined) return table(views[state.view], { snapshot, before, state, rows: room - 1 });
  // Each table has a line above its head, and what rows one does not need the others have.
  let left = room;
  return viewNames.flatMap((name, index) => {
    const tables = viewNames.length - index;
    const { length } = chosenLines(views[name].lines(snapshot, before), state);
    const rows = Math.max(fewRows, Math.min(length, Math.floor(left / tables) - 2));
    const lines = [plain(''), ...table(views[name], { snapshot, before, state, rows })];
    left -= lines.length;
    return lines;
  });
};

interface TableOptions {
  readonly snapshot: Snapshot;
  readonly before: Snapshot | undefined;
  readonly state: TopState;
  readonly rows: number;
}

const numberWidth = 11;

/** A head, and as many rows as there is room for. */
const table = (view: View, { snapshot, before, state, rows }: TableOptions): Styled[] => {
  const all = chosenLines(view.lines(snapshot, before), state);
  const skipped = state.view === undefined ? 0 : Math.min(state.skipped, Math.max(0, all.length - rows));
  const shown = all.slice(skipped, skipped + rows);
  if (all.length === 0) return [{ text: view.title, style: 'inverse' }, plain('  none')];
  const widths = view.words.map((title, index) =>
    Math.min(26, Math.max(title.length + 1, ...shown.map(({ words }) => words[index]?.length ?? 0))),
  );
  // The last words, a unit, come after the numbers: they are cut first where the screen is narrow.
  const last =
    view.words.length > 1 && view.words.at(-1)?.endsWith('IN') ? view.words.length - 1 : view.words.length;
  const line = (words: readonly string[], numbers: readonly string[]): string =>
    [
      ...words.slice(0, last).map((word, index) => word.slice(0, widths[index]).padEnd(widths[index] ?? 0)),
      ...numbers.map((text) => text.padStart(numberWidth)),
      ...words.slice(last),
    ].join(' ');
  const by = view.sorted[state.sort];
  const mark = (title: string): string => (title === by ? `${title}${state.reversed ? '^' : 'v'}` : title);
  return [
    {
      text: line(
        view.words.map(mark),
        view.numbers.map(({ title }) => mark(title)),
      ),
      style: 'inverse',
    },
    ...shown.map(({ words, numbers }: Line) =>
      plain(
        line(
          words,
          numbers.map((number, index) => numberText(number, view.numbers[index]?.kind)),
        ),
      ),
    ),
  ];
};

const numberText = (
  number: number | null | undefined,
  kind: 'seconds' | 'rate' | 'count' | undefined,
): string => {
  if (number === null || number === undefined) return '-';
  if (kind === 'count') return count(Math.round(number));
  return kind === 'rate'
    ? rateText(number)
    : number === 0
      ? '0'
      : durationText(number * 1e9).replace('less than ', '<');
};

/** Seconds a second. */
const rateText = (rate: number): string =>
  rate === 0 ? '0' : `${durationText(rate * 1e9).replace('less than ', '<')}/s`;

/** Text in lines of a width, at most so many. */
const wrapped = (text: string, width: number, most: number): string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].slice(0, most);
};

const foot = ({ typing, filter, sort }: TopState): Styled => {
  if (typing !== undefined) return { text: `only lines with: ${typing}_`, style: 'inverse' };
  const only = filter === '' ? '' : `  only "${filter}" (Esc: all)`;
  return { text: `0-4 tables  s sort (${sort})  / filter  Space pause  h help  q quit${only}`, style: 'dim' };
};
