/** Who blocks whom, as a table: readers down, victims across, the deeper the colour the longer. */
import { el, replace } from './dom.js';
import { count, place, rate, seconds } from './format.js';
import { type Filter, isFiltered, type Matrix, type Named, pairKey, unknownReader } from './model.js';

export interface MatrixOptions {
  readonly filter: Filter;
  /** A name was chosen, or chosen again to be let go. */
  readonly onFilter: (change: Filter) => void;
  /** Why there is nothing, where blocks are not observed. */
  readonly unobserved: string | undefined;
}

export const showMatrix = (parent: HTMLElement, matrix: Matrix, options: MatrixOptions): void => {
  const { unobserved, filter, onFilter } = options;
  if (unobserved !== undefined) {
    replace(parent, el('p', {}, unobserved));
    return;
  }
  if (matrix.pairs.size === 0) {
    replace(
      parent,
      el(
        'p',
        { class: 'nothing' },
        isFiltered(filter)
          ? 'Nothing of the kind in this time.'
          : 'No reader of a proc file was seen to block anybody in this time.',
      ),
    );
    return;
  }
  const readers = matrix.readers.map((reader) => readerRow(reader, matrix, options));
  const heads = matrix.victims.map((victim) =>
    el(
      'th',
      { scope: 'col' },
      nameButton('victim', victim, filter.victim === victim.name, () =>
        onFilter({ victim: filter.victim === victim.name ? undefined : victim.name }),
      ),
    ),
  );
  replace(
    parent,
    el(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Readers by victims' },
      el(
        'table',
        { class: heads.length > 6 ? 'matrix dense' : 'matrix' },
        el('thead', {}, el('tr', {}, el('td', {}), ...heads, el('th', { scope: 'col' }, 'all'))),
        el('tbody', {}, ...readers),
      ),
    ),
    matrix.rest > 0 ? el('p', { class: 'hint' }, `and ${seconds(matrix.rest)} of others`) : null,
  );
};

const readerRow = (reader: Named, matrix: Matrix, { filter, onFilter }: MatrixOptions): HTMLElement => {
  const name =
    reader.name === unknownReader
      ? el('span', { title: 'Of these waits it cannot be shown that a reader held the lock' }, 'unknown')
      : nameButton('reader', reader, filter.reader === reader.name, () =>
          onFilter({ reader: filter.reader === reader.name ? undefined : reader.name }),
        );
  const cells = matrix.victims.map((victim) => cell(reader, victim, matrix));
  return el(
    'tr',
    {},
    el('th', { scope: 'row' }, name),
    ...cells,
    el('td', { class: 'sum' }, seconds(reader.seconds)),
  );
};

/** As many shades as page.css has. */
const shades = 8;

const cell = (reader: Named, victim: Named, { pairs, most, observed }: Matrix): HTMLElement => {
  const pair = pairs.get(pairKey(reader.name, victim.name));
  if (pair === undefined) return el('td', { class: 'none' });
  // By the root, for the shades of what is small would all be one.
  const shade = Math.max(1, Math.ceil(Math.sqrt(pair.seconds / most) * shades));
  const perSecond = rate(pair.seconds / Math.max(1, observed));
  const known =
    reader.name === unknownReader ? 'no reader can be shown' : `${reader.name} by ${pair.files.join(', ')}`;
  return el(
    'td',
    {
      class: `shade${reader.name === unknownReader ? 'u' : shade}`,
      title: `${victim.name} waited ${seconds(pair.seconds)}, ${perSecond}: ${known}${pair.blocks > 0 ? `, ${count(pair.blocks)} blocks` : ''}`,
    },
    seconds(pair.seconds),
  );
};

const nameButton = (
  role: 'reader' | 'victim',
  { name, place: where }: Named,
  pressed: boolean,
  onClick: () => void,
): HTMLElement =>
  el(
    'button',
    {
      type: 'button',
      class: 'name',
      'aria-pressed': String(pressed),
      'data-key': `${role} ${name}`,
      title: where === null ? `show only the ${role} ${name}` : `${name} in ${where}`,
      click: onClick,
    },
    name,
    where === null ? null : el('small', {}, place(where)),
  );
