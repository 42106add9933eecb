/** What the kernel of this host does for a reader of each proc file, for somebody who never heard of its locks. */
import { type LockPath, lockPathMeanings } from '../vocabulary.js';
import type { ServedFile } from './api.js';
import { el, replace } from './dom.js';
import { count, percent } from './format.js';
import type { FileSums, Filter } from './model.js';

/** How many of the mappings are locked while one is read. */
const locked: Readonly<Record<LockPath, 'all' | 'one'>> = {
  mmap_lock: 'all',
  per_vma_lock: 'one',
  rcu_snapshot: 'one',
};

export interface FilesOptions {
  readonly filter: Filter;
  readonly onFilter: (change: Filter) => void;
  readonly observed: number;
}

export const showFiles = (
  parent: HTMLElement,
  lockPaths: readonly ServedFile[],
  sums: ReadonlyMap<string, FileSums>,
  { filter, onFilter, observed }: FilesOptions,
): void => {
  const rows = lockPaths
    .filter(({ file, path }) => sums.has(file) || (path !== null && file !== 'remote'))
    .map(({ file, path }) => {
      const sum = sums.get(file);
      return el(
        'tr',
        {},
        el(
          'th',
          { scope: 'row' },
          el(
            'button',
            {
              type: 'button',
              class: 'name',
              'aria-pressed': String(filter.file === file),
              'data-key': `file ${file}`,
              click: () => onFilter({ file: filter.file === file ? undefined : file }),
            },
            file,
          ),
        ),
        el(
          'td',
          { class: 'path' },
          picture(path === null ? undefined : locked[path]),
          path === null
            ? el('span', {}, 'not known')
            : el('span', {}, lockPathMeanings[path].title, el('code', {}, path)),
        ),
        ...[sum?.reads, sum?.retries, sum?.fallbacks].map((amount) => el('td', {}, amountText(amount, sum))),
        el(
          'td',
          {},
          sum?.blocked === null ? 'not observed' : percent((sum?.blocked ?? 0) / Math.max(1, observed)),
        ),
      );
    });
  const used = new Set(lockPaths.flatMap(({ path }) => (path === null ? [] : [path])));
  replace(
    parent,
    el(
      'div',
      { class: 'scroll' },
      el(
        'table',
        { class: 'files' },
        el(
          'thead',
          {},
          el(
            'tr',
            {},
            ...['file', 'its reader', 'reads', 'retries', 'fallbacks', 'blocked writers'].map((head) =>
              el('th', { scope: 'col' }, head),
            ),
          ),
        ),
        el('tbody', {}, ...rows),
      ),
    ),
    el(
      'dl',
      {},
      ...Array.from(used, (path) => [
        el('dt', {}, el('code', {}, path)),
        el('dd', {}, lockPathMeanings[path].text),
      ]).flat(),
    ),
  );
};

const amountText = (amount: number | null | undefined, sum: FileSums | undefined): string =>
  sum === undefined ? '0' : amount === null || amount === undefined ? 'not observed' : count(amount);

const svg = 'http://www.w3.org/2000/svg';

/** Eight mappings; those that are locked while one is read are filled. */
const picture = (filled: 'all' | 'one' | undefined): SVGElement => {
  const image = document.createElementNS(svg, 'svg');
  image.setAttribute('viewBox', '0 0 64 12');
  image.setAttribute('class', 'mappings');
  image.setAttribute('aria-hidden', 'true');
  for (let index = 0; index < 8; index += 1) {
    const mapping = document.createElementNS(svg, 'rect');
    for (const [key, value] of Object.entries({ x: index * 8 + 0.5, y: 0.5, width: 6.5, height: 11, rx: 1 }))
      mapping.setAttribute(key, String(value));
    mapping.setAttribute('class', filled === 'all' || (filled === 'one' && index === 3) ? 'locked' : 'free');
    image.append(mapping);
  }
  return image;
};
