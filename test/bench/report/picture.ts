/** The results as a picture: for each loop, how many times as long it takes under each configuration. */

import { loops } from '../loops.js';
import { cellIn, type Results } from '../results.js';
import { durationText } from './figures.js';

/** A colour for a light and for a dark page; shapes tell them apart, too. */
const series = [
  { name: 'waits', label: 'waits alone', shape: 'circle', light: '#1f6fb2', dark: '#6cb4ee' },
  { name: 'opens', label: 'opens', shape: 'diamond', light: '#7a4fb0', dark: '#bd9bea' },
  { name: 'retries_off', label: 'retries off', shape: 'triangle', light: '#1b8a5a', dark: '#5fd0a0' },
  { name: 'watch', label: 'watch mode', shape: 'square', light: '#12324f', dark: '#e8eef4' },
  { name: 'perf', label: 'perf lock record', shape: 'circle', light: '#c65312', dark: '#ff9d5c' },
  {
    name: 'one_liner',
    label: 'one-liner on mmap_lock:*',
    shape: 'square',
    light: '#b3261e',
    dark: '#ff8a80',
  },
] as const;

type Shape = (typeof series)[number]['shape'];

const size = { width: 860, left: 330, right: 24, top: 64, row: 46, bottom: 34 } as const;
const ticks = [0.9, 1, 1.1, 1.25, 1.5, 2, 3, 5, 10, 20];

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const mark = (shape: Shape, x: number, y: number, index: number): string => {
  const at = (dx: number, dy: number): string => `${(x + dx).toFixed(1)},${(y + dy).toFixed(1)}`;
  const of = (points: readonly string[]): string =>
    `<polygon class="s${index}" points="${points.join(' ')}"/>`;
  switch (shape) {
    case 'circle':
      return `<circle class="s${index}" cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3.4"/>`;
    case 'square':
      return of([at(-3, -3), at(3, -3), at(3, 3), at(-3, 3)]);
    case 'diamond':
      return of([at(0, -4.2), at(4.2, 0), at(0, 4.2), at(-4.2, 0)]);
    case 'triangle':
      return of([at(0, -4), at(4, 3.2), at(-4, 3.2)]);
  }
};

const style = (): string =>
  [
    'text{font:12px system-ui,sans-serif;fill:#24292f}.n{fill:#57606a}.g{stroke:#d0d7de}.one{stroke:#57606a}',
    ...series.map(({ light }, index) => `.s${index}{fill:${light};stroke:${light}}`),
    '@media (prefers-color-scheme:dark){text{fill:#e6edf3}.n{fill:#9da7b1}.g{stroke:#30363d}.one{stroke:#9da7b1}',
    ...series.map(({ dark }, index) => `.s${index}{fill:${dark};stroke:${dark}}`),
    '}',
  ].join('');

/** An SVG of its own: no fonts, scripts or files from elsewhere; transparent. Ratios on a logarithmic scale. */
export const pictureOf = (results: Results): string => {
  const rows = loops.filter(({ name }) => results.off[name] !== undefined);
  const shown = series
    .map((one, index) => ({ ...one, index }))
    .filter(({ name }) => results.columns.some((column) => column.name === name));
  const ratios = rows.flatMap((loop) =>
    shown.flatMap(({ name }) => cellIn(results, name, loop.name)?.ratio ?? []),
  );
  const low = Math.min(0.95, ...ratios.map(({ lower }) => lower));
  const high = Math.max(1.25, ...ratios.map(({ upper }) => upper)) * 1.03;
  const scale = (size.width - size.left - size.right) / Math.log(high / low);
  const x = (ratio: number): number => size.left + Math.log(ratio / low) * scale;
  const height = size.top + rows.length * size.row + size.bottom;
  const foot = height - size.bottom;

  const grid = ticks
    .filter((tick) => tick >= low && tick <= high)
    .map(
      (tick) =>
        `<line class="${tick === 1 ? 'one' : 'g'}" x1="${x(tick).toFixed(1)}" x2="${x(tick).toFixed(1)}" y1="${size.top - 6}" y2="${foot}"/>` +
        `<text class="n" x="${x(tick).toFixed(1)}" y="${foot + 18}" text-anchor="middle">x${tick}</text>`,
    );
  const legend = shown.map(({ label, shape, index }, place) => {
    const at = 12 + (place % 3) * 210;
    const y = 16 + Math.floor(place / 3) * 18;
    return `${mark(shape, at, y - 4, index)}<text x="${at + 10}" y="${y}">${escapeXml(label)}</text>`;
  });
  const body = rows.map((loop, place) => {
    const top = size.top + place * size.row;
    const middle = top + size.row / 2;
    const without = durationText(results.off[loop.name] as number, results.place.unit);
    const points = shown.flatMap(({ name, shape, index }, at) => {
      const cell = cellIn(results, name, loop.name);
      if (cell === undefined) return [];
      const y = top + (size.row * (at + 1)) / (shown.length + 1);
      const { median, lower, upper } = cell.ratio;
      return [
        `<line class="s${index}" x1="${x(lower).toFixed(1)}" x2="${x(upper).toFixed(1)}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}"/>`,
        mark(shape, x(median), y, index),
      ];
    });
    return (
      `<line class="g" x1="0" x2="${size.width}" y1="${top}" y2="${top}"/>` +
      `<text x="4" y="${middle - 2}">${escapeXml(loop.title)}</text>` +
      `<text class="n" x="4" y="${middle + 13}">${escapeXml(without)} without</text>${points.join('')}`
    );
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${height}" role="img">`,
    '<title>How many times as long each loop takes, median and quartiles of the rounds</title>',
    `<style>${style()}</style>`,
    ...grid,
    ...legend,
    ...body,
    '</svg>',
    '',
  ].join('\n');
};
