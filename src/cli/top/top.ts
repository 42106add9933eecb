/** `mmaplockd top`: who waits, who reads and who blocks whom, live on a terminal, or once into a pipe. */
import type { Clock } from '../../clock.js';
import type { Config } from '../../config/schema.js';
import { messageOf } from '../../errors.js';
import { endAtSignals, pause } from '../own-daemon.js';
import { pageOf, type ScreenOptions, screenOf } from './screen.js';
import { type Snapshot, takeSnapshot } from './snapshot.js';
import { openSource, type Source } from './source.js';
import { showsUnicode } from './sparkline.js';
import { keysOf, press, startState, type TopState } from './state.js';
import type { Sort } from './views.js';

export interface TopOptions {
  readonly url: string | undefined;
  readonly intervalSeconds: number;
  readonly once: boolean;
  readonly json: boolean;
  readonly sort: Sort;
  readonly filter: string;
}

/** Where there is no terminal, lines are cut by nobody. */
const wide = 200;

/** Gives the exit code. @throws MmaplockError daemon_unreachable, where it never answered */
export const top = async (config: Config, options: TopOptions, clock: Clock): Promise<number> => {
  const source = openSource(options.url, config);
  const state: TopState = { ...startState, sort: options.sort, filter: options.filter };
  if (options.json) {
    const { takenAt: _, ...shown } = await takeSnapshot(source);
    process.stdout.write(`${JSON.stringify({ v: 1, ...shown }, undefined, 2)}\n`);
    return 0;
  }
  const { isTTY } = process.stdout;
  if (options.once || !isTTY || !process.stdin.isTTY) return showOnce(source, state, options, clock);
  return watch(source, state, options, clock);
};

/** Two looks, for one alone tells nothing of how fast something grows. */
const showOnce = async (
  source: Source,
  state: TopState,
  { intervalSeconds }: TopOptions,
  clock: Clock,
): Promise<number> => {
  const ending = endAtSignals();
  const before = await takeSnapshot(source);
  await pause(clock, intervalSeconds * 1000, ending.signal);
  if (ending.signal.aborted) return ending.exitCode();
  const snapshot = await takeSnapshot(source);
  const screen = screenWith(source, undefined);
  const page = pageOf(snapshot, before, state, {
    ...screen,
    width: process.stdout.columns ?? wide,
    styled: false,
  });
  process.stdout.write(`${page.join('\n')}\n`);
  return 0;
};

const screenWith = ({ name }: Source, trouble: string | undefined): ScreenOptions => ({
  width: process.stdout.columns ?? 80,
  height: process.stdout.rows ?? 24,
  styled: true,
  unicode: showsUnicode(process.env),
  source: name,
  trouble,
});

/** The other screen of the terminal, without a cursor; and back, so that what stood there stands there again. */
const enter = '\x1b[?1049h\x1b[?25l';
const leave = '\x1b[?25h\x1b[?1049l';

/** From the top left corner, each line to its end and the rest of the screen emptied. */
const frame = (lines: readonly string[]): string =>
  `\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\r\n')}\x1b[J`;

const watch = async (
  source: Source,
  start: TopState,
  { intervalSeconds }: TopOptions,
  clock: Clock,
): Promise<number> => {
  const ending = endAtSignals();
  const { stdin, stdout } = process;
  let state = start;
  let [snapshot, before]: (Snapshot | undefined)[] = [];
  let trouble: string | undefined;
  const draw = (): void => {
    stdout.write(frame(screenOf(snapshot, before, state, screenWith(source, trouble))));
  };
  const onInput = (input: Buffer): void => {
    for (const key of keysOf(input.toString('utf8'))) state = press(state, key);
    if (state.over) ending.abort();
    else draw();
  };
  stdin.setRawMode(true);
  stdin.on('data', onInput);
  stdout.on('resize', draw);
  stdout.write(enter);
  try {
    draw();
    while (!ending.signal.aborted) {
      if (!state.paused) {
        try {
          const next = await takeSnapshot(source);
          // Asked between two ticks, it says the same: the rates stay those of the last one.
          if (next.at !== snapshot?.at) [before, snapshot] = [snapshot, next];
          else snapshot = next;
          trouble = undefined;
        } catch (error) {
          trouble = messageOf(error);
        }
        if (!ending.signal.aborted) draw();
      }
      await pause(clock, intervalSeconds * 1000, ending.signal);
    }
  } finally {
    stdin.off('data', onInput);
    stdout.off('resize', draw);
    stdin.setRawMode(false);
    stdin.pause();
    stdout.write(leave);
  }
  return ending.exitCode();
};
