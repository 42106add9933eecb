/** The table of all kernels, and what is to be said below it. */
import { partLines } from './parts.mjs';

const align = (rows) => {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join(' | ')
      .trimEnd(),
  );
};

const header = [
  'kernel',
  'release',
  'bpftrace',
  'lock path of maps',
  'passed',
  'failed',
  'skipped',
  'seconds',
];

const rowOf = ({ name, results, seconds, starts }) => [
  name,
  results.facts.release ?? '-',
  results.facts.bpftrace ?? '-',
  results.facts.maps ?? '-',
  `${results.passed}`,
  `${results.failures.length}`,
  `${results.skips.length}`,
  `${Math.round(seconds)}${starts > 1 ? ` (started ${starts} times)` : ''}`,
];

const oneLine = (text) => text.trim().replace(/\s*\n\s*/g, '; ');

const failureLine = (kernel, { name, detail }) =>
  `failed: ${kernel}: ${name}${detail ? `: ${oneLine(detail)}` : ''}`;

const figuresOf = ({ name, results: { figures } }) => {
  const width = Math.max(...figures.map((figure) => figure.name.length));
  return [`${name}:`, ...figures.map((figure) => `  ${figure.name.padEnd(width)}  ${figure.value}`)];
};

const partsOf = ({ name, results }) => [`${name}:`, ...partLines(results.parts())];

const titled = (title, lines) => (lines.length === 0 ? [] : ['', title, ...lines]);

/**
 * @param ran name, results, seconds and starts of each kernel that ran
 * @param skipped name and reason of the kernels that could not
 * @param imageSeconds how long it took to make their images, 0 where all were there
 * @returns {{lines: string[], ok: boolean}} the last line holds the totals
 */
export const summaryOf = (ran, skipped, imageSeconds = 0) => {
  const each = (pick) => ran.flatMap(({ name, results }) => pick(results).map((item) => ({ name, item })));
  const failures = each((results) => results.failures);
  const skips = each((results) => results.skips);
  const notes = each((results) => results.notes);
  const passed = ran.reduce((sum, { results }) => sum + results.passed, 0);
  const skippedRows = skipped.map(({ name }) => [name, '-', '-', '-', '0', '0', '1', '-']);
  const failureLines = failures.map(({ name, item }) => failureLine(name, item));
  const skipLines = [
    ...skipped.map(({ name, reason }) => `skipped: ${name}: ${reason}`),
    ...skips.map(({ name, item }) => `skipped: ${name}: ${item.name}: ${item.reason}`),
  ];
  const noteLines = notes.map(({ name, item }) => `${name}: ${oneLine(item)}`);
  const figureLines = ran.filter(({ results }) => results.figures.length > 0).flatMap(figuresOf);
  const lines = [
    '',
    ...align([header, ...ran.map(rowOf), ...skippedRows]),
    ...titled('failures:', failureLines),
    ...titled('skipped:', skipLines),
    ...titled('notes:', noteLines),
    ...titled('figures:', figureLines),
    ...titled('where the seconds went:', ran.flatMap(partsOf)),
    '',
    `images: ${imageSeconds} s`,
    `retried: ${ran.reduce((sum, { results }) => sum + results.retried, 0)}`,
    `${passed} passed, ${failures.length} failed, ${skips.length + skipped.length} skipped`,
  ];
  return { lines, ok: failures.length === 0 };
};
