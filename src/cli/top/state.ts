/** What the person at the terminal has chosen, and how keys change it. Pure. */
import { type Sort, sorts, type ViewName, viewNames } from './views.js';

export interface TopState {
  /** One table on the whole screen; undefined: all of them, a few rows each. */
  readonly view: ViewName | undefined;
  readonly sort: Sort;
  readonly reversed: boolean;
  readonly filter: string;
  /** What is being typed; undefined while nothing is. */
  readonly typing: string | undefined;
  readonly paused: boolean;
  readonly help: boolean;
  /** Rows that are scrolled away. */
  readonly skipped: number;
  readonly over: boolean;
}

export const startState: TopState = {
  view: undefined,
  sort: 'rate',
  reversed: false,
  filter: '',
  typing: undefined,
  paused: false,
  help: false,
  skipped: 0,
  over: false,
};

export const keyHelp: readonly (readonly [keys: string, what: string])[] = [
  ['0', 'all tables'],
  ['1 2 3 4', 'who blocks whom, who reads, who waits, waiting right now'],
  ['s, r', 'sort by the next column; reverse'],
  ['/', 'show only lines with some text; Enter takes it, Esc drops it'],
  ['Space', 'pause, and go on'],
  ['j k, arrows', 'scroll'],
  ['h ?', 'this help'],
  ['q, Ctrl-C', 'quit'],
];

/** What one piece of input says: several keys may come at once, an arrow is three bytes. */
export const keysOf = (input: string): string[] => input.match(/\x1b\[[0-9;]*[A-Za-z~]|[\s\S]/gu) ?? [];

const longestFilter = 60;

export const press = (state: TopState, key: string): TopState =>
  key === '\x03'
    ? { ...state, over: true }
    : state.typing === undefined
      ? command(state, key)
      : type(state, key);

const type = (state: TopState, key: string): TopState => {
  const typing = state.typing ?? '';
  switch (key) {
    case '\r':
    case '\n':
      return { ...state, filter: typing, typing: undefined, skipped: 0 };
    case '\x1b':
      return { ...state, filter: '', typing: undefined, skipped: 0 };
    case '\x7f':
    case '\b':
      return { ...state, typing: [...typing].slice(0, -1).join('') };
    default:
      return /^[^\p{C}]$/u.test(key) && typing.length < longestFilter
        ? { ...state, typing: typing + key }
        : state;
  }
};

const command = (state: TopState, key: string): TopState => {
  if (state.help && key !== 'q') return { ...state, help: false };
  const scroll = (by: number): TopState => ({ ...state, skipped: Math.max(0, state.skipped + by) });
  switch (key) {
    case 'q':
      return { ...state, over: true };
    case ' ':
      return { ...state, paused: !state.paused };
    case 's':
      return { ...state, sort: sorts[(sorts.indexOf(state.sort) + 1) % sorts.length] ?? 'rate', skipped: 0 };
    case 'r':
      return { ...state, reversed: !state.reversed, skipped: 0 };
    case '/':
      return { ...state, typing: '' };
    case '\x1b':
      return { ...state, filter: '', skipped: 0 };
    case 'h':
    case '?':
      return { ...state, help: true };
    case 'j':
    case '\x1b[B':
      return scroll(1);
    case 'k':
    case '\x1b[A':
      return scroll(-1);
    case '0':
      return { ...state, view: undefined, skipped: 0 };
    default: {
      const view = viewNames[Number(key) - 1];
      return view === undefined ? state : { ...state, view, skipped: 0 };
    }
  }
};
