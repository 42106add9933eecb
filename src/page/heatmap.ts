/** How long waits took, over time: a square for each moment and length, the darker the more waits. */
import type uPlot from 'uplot';
import { axes, Chart, color, shadeUnobserved, timeScale } from './chart.js';
import { bound, count } from './format.js';
import type { Model } from './model.js';

const height = 200;

export class Heatmap {
  readonly #chart: Chart;
  /** Waits at each moment, by length. */
  #counts: (readonly number[] | undefined)[] = [];
  #bounds: readonly number[] = [];
  #first = 0;
  #last = 1;
  #columnSeconds = 5;

  constructor(parent: HTMLElement) {
    this.#chart = new Chart(parent, (width) => this.#options(width));
  }

  show(model: Model, seconds: number): void {
    const columns = new Map(model.within(seconds).map((column) => [Date.parse(column.at) / 1000, column]));
    const { times } = model.overTime(seconds, [], () => 0);
    this.#bounds = model.bounds;
    this.#columnSeconds = model.columnSeconds;
    this.#counts = times.map((time) => {
      const { read = [], write = [] } = columns.get(time)?.durations ?? {};
      return columns.has(time)
        ? Array.from({ length: model.bounds.length + 1 }, (_, index) => both(read, write, index))
        : undefined;
    });
    const used = this.#counts.flatMap((column) =>
      (column ?? []).flatMap((waits, index) => (waits > 0 ? [index] : [])),
    );
    this.#first = Math.max(0, Math.min(...used, 6) - 1);
    this.#last = Math.min(model.bounds.length, Math.max(...used, 8) + 1);
    this.#chart.show(
      `${this.#first} ${this.#last}`,
      [times, times.map(() => null)],
      `Lengths of waits over time. ${this.#spoken()}`,
    );
  }

  #spoken(): string {
    const sums = this.#bounds.map((upper, index) => ({
      upper,
      waits: this.#counts.reduce((sum, column) => sum + (column?.[index] ?? 0), 0),
    }));
    const said = sums
      .filter(({ waits }) => waits > 0)
      .map(({ upper, waits }) => `${count(waits)} below ${bound(upper)}`);
    return said.length === 0 ? 'No wait ended.' : `${said.join(', ')}.`;
  }

  #options(width: number): uPlot.Options {
    const rows = this.#last - this.#first + 1;
    const [time, lengths] = axes(String);
    return {
      width,
      height,
      legend: { show: false },
      cursor: { show: false },
      scales: { x: timeScale(this.#columnSeconds), y: { range: [0, rows] } },
      axes: [
        time as uPlot.Axis,
        {
          ...lengths,
          grid: { show: false },
          splits: () =>
            Array.from({ length: rows + 1 }, (_, index) => index).filter((index) => index % 2 === 0),
          values: (_, splits) => splits.map((row) => boundOf(this.#bounds, this.#first + row)),
        },
      ],
      series: [{}, { show: true }],
      hooks: {
        drawClear: [
          (plot) => shadeUnobserved(plot, (index) => this.#counts[index] !== undefined, this.#columnSeconds),
        ],
        draw: [(plot) => this.#draw(plot)],
      },
    };
  }

  #draw(plot: uPlot): void {
    const { ctx } = plot;
    const most = Math.max(1, ...this.#counts.flatMap((column) => column ?? []));
    const times = plot.data[0];
    ctx.save();
    ctx.beginPath();
    ctx.rect(plot.bbox.left, plot.bbox.top, plot.bbox.width, plot.bbox.height);
    ctx.clip();
    ctx.fillStyle = color('heat');
    for (const [index, column] of this.#counts.entries()) {
      const at = times[index] ?? 0;
      const left = plot.valToPos(at, 'x', true);
      const right = plot.valToPos(at + this.#columnSeconds, 'x', true);
      for (const [row, waits] of (column ?? []).slice(this.#first, this.#last + 1).entries()) {
        if (waits === 0) continue;
        const [top, bottom] = [plot.valToPos(row + 1, 'y', true), plot.valToPos(row, 'y', true)];
        // By the logarithm: one wait of a second matters among a million of a microsecond.
        ctx.globalAlpha = 0.15 + 0.85 * (Math.log1p(waits) / Math.log1p(most));
        ctx.fillRect(left, top, Math.max(1, right - left - 1), bottom - top - 1);
      }
    }
    ctx.restore();
  }
}

const both = (read: readonly number[], write: readonly number[], index: number): number =>
  (read[index] ?? 0) + (write[index] ?? 0);

/** The lower bound of a row. */
const boundOf = (bounds: readonly number[], row: number): string =>
  row === 0 ? '0' : bound(bounds[row - 1] ?? 0);
