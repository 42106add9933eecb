/** What all pictures over time share: uPlot, with the colours of the page, and a table of the same for who cannot see. */
import uPlot from 'uplot';
import { el } from './dom.js';

export interface Line {
  readonly name: string;
  readonly color: string;
}

/** A colour of page.css as it is now: light or dark. */
export const color = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

const width = (parent: HTMLElement): number => Math.max(260, Math.floor(parent.clientWidth));

/** Marks the moments in which nothing was observed: nothing seen there is not nothing there. */
export const shadeUnobserved = (
  plot: uPlot,
  isObserved: (index: number) => boolean,
  seconds: number,
): void => {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = color('unobserved');
  for (const [index, at] of plot.data[0].entries()) {
    if (isObserved(index)) continue;
    const left = plot.valToPos(at, 'x', true);
    ctx.fillRect(left, bbox.top, Math.ceil(plot.valToPos(at + seconds, 'x', true) - left), bbox.height);
  }
  ctx.restore();
};

/** From the begin of the first moment to the end of the last. */
export const timeScale = (seconds: number): uPlot.Scale => ({
  range: (_, first, last) => [first, last + seconds],
});

/** Axes of a picture over time. */
export const axes = (text: (value: number) => string): uPlot.Axis[] => [
  { stroke: () => color('soft'), grid: { show: false }, ticks: { stroke: () => color('line') } },
  {
    stroke: () => color('soft'),
    grid: { stroke: () => color('line') },
    ticks: { stroke: () => color('line') },
    values: (_, values) => values.map(text),
    size: 72,
  },
];

/** A picture that is made once and given other numbers then; it grows and shrinks with the page. */
export class Chart {
  readonly #parent: HTMLElement;
  readonly #options: (width: number) => uPlot.Options;
  #plot: uPlot | undefined;
  #made = '';

  constructor(parent: HTMLElement, options: (width: number) => uPlot.Options) {
    this.#parent = parent;
    this.#options = options;
    parent.setAttribute('role', 'img');
    new ResizeObserver(() =>
      this.#plot?.setSize({ width: width(parent), height: this.#plot.height }),
    ).observe(parent);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#plot?.redraw());
  }

  /** @param kind of which lines it consists: another kind is another picture */
  show(kind: string, data: uPlot.AlignedData, said: string): void {
    this.#parent.setAttribute('aria-label', said);
    if (this.#plot === undefined || this.#made !== kind) {
      this.#plot?.destroy();
      this.#plot = new uPlot(this.#options(width(this.#parent)), data, this.#parent);
      this.#made = kind;
    } else this.#plot.setData(data);
  }
}

/** Numbers of a picture as a table that is opened by who wants it. */
export const numbers = (heads: readonly string[], rows: readonly (readonly string[])[]): HTMLElement =>
  el(
    'details',
    {},
    el('summary', { 'data-key': `numbers ${heads.join(' ')}` }, 'Numbers'),
    el(
      'table',
      {},
      el('thead', {}, el('tr', {}, ...heads.map((head) => el('th', { scope: 'col' }, head)))),
      el(
        'tbody',
        {},
        ...rows.map(([first = '', ...cells]) =>
          el('tr', {}, el('th', { scope: 'row' }, first), ...cells.map((cell) => el('td', {}, cell))),
        ),
      ),
    ),
  );
