/** Waits over time by operation; with a filter, blocks over time by file, for waits are not told by reader. */
import uPlot from 'uplot';
import { axes, Chart, color, type Line, shadeUnobserved, timeScale } from './chart.js';
import { rate } from './format.js';
import { type Filter, isFiltered, type Model, passes } from './model.js';

const height = 220;

/** Colours there are in page.css; what comes after shares the last. */
const colors = 8;

const lineColor = (index: number): string => `line${Math.min(index, colors - 1)}`;

/** Lines on each other, so that their sum is seen; null stays null. */
const stacked = (lines: readonly (readonly (number | null)[])[]): (number | null)[][] => {
  const sums: number[] = [];
  return lines.map((line) =>
    line.map((value, index) => {
      if (value === null) return null;
      sums[index] = (sums[index] ?? 0) + value;
      return sums[index];
    }),
  );
};

export class WaitsChart {
  readonly #chart: Chart;
  #lines: readonly Line[] = [];
  #observed: readonly boolean[] = [];
  #columnSeconds = 5;

  constructor(parent: HTMLElement) {
    this.#chart = new Chart(parent, (width) => this.#options(width));
  }

  /** Gives what is shown, in words. */
  show(model: Model, seconds: number, filter: Filter): string {
    const filtered = isFiltered(filter);
    const names = filtered ? filesOf(model, seconds, filter) : operationsOf(model, seconds);
    const { times, lines } = model.overTime(seconds, names, (column, name) =>
      filtered
        ? column.blocks
            .filter((block) => block.file === name && passes(filter, block))
            .reduce((sum, block) => sum + block.block_seconds, 0)
        : (column.wait_seconds[model.operations.indexOf(name)] ?? 0),
    );
    const columns = new Set(model.within(seconds).map(({ at }) => Date.parse(at) / 1000));
    this.#observed = times.map((time) => columns.has(time)).concat(true);
    this.#columnSeconds = model.columnSeconds;
    this.#lines = names.map((name, index) => ({ name, color: lineColor(index) }));
    // uPlot draws what comes first at the bottom of all: the sum of all lines, then fewer and fewer.
    // A step needs an end: the last moment is told once more where it is over.
    const ends = [...times, ...times.slice(-1).map((time) => time + model.columnSeconds)];
    const steps = stacked(lines).map((line) => [...line, ...line.slice(-1)]);
    const data = [ends, ...steps.reverse()] as uPlot.AlignedData;
    const text = filtered
      ? 'Thread-seconds a second behind the readers that were chosen, by file.'
      : 'Thread-seconds a second in which somebody waited, by what they were doing.';
    this.#chart.show(`${filtered} ${names.join()}`, data, `${text} ${spoken(names, lines)}`);
    return text;
  }

  #options(width: number): uPlot.Options {
    const stepped = uPlot.paths.stepped?.({ align: 1 });
    const series = this.#lines.map(({ name, color: of }) => ({
      label: name,
      stroke: () => color(of),
      fill: () => color(of),
      width: 1,
      points: { show: false },
      ...(stepped && { paths: stepped }),
      // What is shown beside the name is its own part, not the sum that is drawn.
      value: (plot: uPlot, _: number, index: number, at: number | null) => ownPart(plot, index, at),
    }));
    return {
      width,
      height,
      legend: { live: true },
      cursor: { drag: { x: false, y: false } },
      scales: {
        x: timeScale(0),
        y: { range: (_, __, most) => [0, Math.max(most, 0.001)] },
      },
      axes: axes(rate),
      series: [{ label: 'time' }, ...series.reverse()],
      hooks: {
        drawClear: [
          (plot) => shadeUnobserved(plot, (index) => this.#observed[index] === true, this.#columnSeconds),
        ],
      },
    };
  }
}

const ownPart = (plot: uPlot, index: number, at: number | null): string => {
  if (at === null) return '';
  const all = plot.data[index]?.[at];
  if (all === null || all === undefined) return 'not observed';
  return rate(all - (plot.data[index + 1]?.[at] ?? 0));
};

const operationsOf = (model: Model, seconds: number): string[] => {
  const columns = model.within(seconds);
  const total = (index: number): number =>
    columns.reduce((sum, { wait_seconds }) => sum + (wait_seconds[index] ?? 0), 0);
  const waited = model.operations
    .map((name, index) => ({ name, total: total(index) }))
    .filter((operation) => operation.total > 0);
  return waited.sort((a, b) => b.total - a.total).map(({ name }) => name);
};

const filesOf = (model: Model, seconds: number, filter: Filter): string[] => [
  ...new Set(
    model
      .within(seconds)
      .flatMap(({ blocks }) => blocks.filter((block) => passes(filter, block)).map(({ file }) => file)),
  ),
];

/** The same for who cannot see it. */
const spoken = (names: readonly string[], lines: readonly (readonly (number | null)[])[]): string => {
  if (names.length === 0) return 'Nothing.';
  return names
    .map((name, index) => {
      const seen = (lines[index] ?? []).filter((value) => value !== null);
      const mean = seen.reduce((sum, value) => sum + value, 0) / Math.max(1, seen.length);
      return `${name}: ${rate(mean)} on average, at most ${rate(Math.max(0, ...seen))}.`;
    })
    .join(' ');
};
