/** `mmaplockd top` in a terminal, driven by keys, over the real daemon. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';
import { killLeftovers } from '../live/support/children.js';
import { mainFile, type RunningDaemon, startDaemon } from '../live/support/daemon.js';
import { lacking } from '../live/support/host.js';
import { type Load, startLoad } from './support/load.js';

const session = `mmaplockd-top-${process.pid}`;

const tmux = async (...args: readonly string[]): Promise<string> =>
  (await execa('tmux', ['-L', session, ...args])).stdout;

const screen = (): Promise<string> => tmux('capture-pane', '-p', '-t', session);

/** What is on the screen once it holds; fails with what is there after `seconds`. */
const until = async (what: string, holds: (text: string) => boolean, seconds = 15): Promise<string> => {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const text = await screen();
    if (holds(text)) return text;
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${what}\n${text}`);
    await pause(100);
  }
};

const press = (...keys: readonly string[]): Promise<string> => tmux('send-keys', '-t', session, ...keys);

after(killLeftovers);

interface BlockRow {
  readonly reader: string;
  readonly victim: string;
  readonly file: string;
  readonly blocks_total: number;
  readonly block_seconds_total: number;
}

describe('top', { skip: lacking('root', 'tracing', 'bpftrace', 'tmux') }, () => {
  let daemon: RunningDaemon;
  let load: Load;
  const start = (...args: readonly string[]): Promise<string> =>
    tmux(
      ...['new-session', '-d', '-s', session, '-x', '80', '-y', '24', '-e', 'LC_ALL=C.UTF-8'],
      // What follows it is on the terminal as it was before: tmux itself does not always tell how a program ended.
      ...['sh', '-c', '"$@"; echo "ended with $?"; exec sleep 600', 'sh'],
      ...[process.execPath, mainFile, 'top', `--url=${daemon.url}`, '--interval=1s', ...args],
    );

  before(async () => {
    daemon = await startDaemon();
    await daemon.ready();
    load = await startLoad();
    await start();
  });

  after(async () => {
    await tmux('kill-server').catch(() => {});
    await load?.stop();
    assert.equal(await daemon?.stop(), 0);
  });

  test('in 80x24: the sentence, who blocks whom, who reads, who waits', async () => {
    const text = await until('the reader is there', (seen) => /pg-reader +smaps +pg-victim/.test(seen), 30);
    for (const part of ['Readers of', 'READER', 'PROCESS', 'waits ', 'q quit'])
      assert.ok(text.includes(part), text);
    assert.equal(text.trimEnd().split('\n').length, 24);
    for (const line of text.split('\n')) assert.ok([...line].length <= 80, line);
  });

  test('sorts by name, and the other way round', async () => {
    const order = (text: string): string[] =>
      text
        .split('\n')
        .map((line) => /^(\S+) +(?:smaps|smaps_rollup|~unknown) +pg-victim/.exec(line)?.[1] ?? '')
        .filter((name) => name !== '');
    await press('1', 's', 's', 's');
    const up = order(
      await until('by name', (text) => text.includes('READERv') && order(text).length >= 3, 30),
    );
    assert.deepEqual(up, up.toSorted());
    await press('r');
    const down = order(await until('reversed', (text) => text.includes('READER^')));
    assert.deepEqual(down, up.toReversed());
    await press('r', 's');
    await until('by time again', (text) => text.includes('TIME/Sv'));
  });

  test('stands still while it is paused', async () => {
    await press('Space');
    const paused = await until('paused', (text) => text.includes('PAUSED'));
    await daemon.settled();
    assert.equal(await screen(), paused);
    await press('Space');
    await until('live again', (text) => /live/.test(text) && !text.includes('PAUSED'));
  });

  test('filters by what is typed, and lets all through again', async () => {
    await press('/', 'pg-oth', 'Enter');
    await until('only the other reader', (text) => /only "pg-oth"/.test(text) && !/^pg-reader/m.test(text));
    await press('Escape');
    await until('all of them', (text) => /^pg-reader/m.test(text));
  });

  test('its numbers are those of the API', async () => {
    // Once nothing happens any more, or one of the two would be older.
    await load.stop();
    await daemon.settled();
    const { body } = await daemon.get<{ data: BlockRow[] }>('/api/v1/blocks?reader=pg-reader');
    const [row] = body.data.filter(({ victim, file }) => victim === 'pg-victim' && file === 'smaps');
    assert.ok(row !== undefined && row.blocks_total > 0 && row.block_seconds_total > 0);
    const numbers = / ([\d.]+) (ms|s|min) +([\d,]+) *$/;
    const shown = (text: string): string =>
      text.split('\n').find((line) => /^pg-reader +smaps +pg-victim/.test(line)) ?? '';
    await press('1');
    const text = await until('as many blocks as the API tells of', (seen) => {
      const [, , , blocks = ''] = numbers.exec(shown(seen)) ?? [];
      return Number(blocks.replaceAll(',', '')) === row.blocks_total;
    });
    const [, time, unit = ''] = numbers.exec(shown(text)) ?? [];
    const seconds = Number(time) * ({ ms: 0.001, s: 1, min: 60 }[unit] ?? Number.NaN);
    // Two digits are shown.
    assert.ok(
      Math.abs(seconds - row.block_seconds_total) <= 0.05 * row.block_seconds_total,
      `${shown(text)} for ${row.block_seconds_total} s`,
    );
    const { stdout } = await execa(process.execPath, [mainFile, 'top', `--url=${daemon.url}`, '--json']);
    const told = JSON.parse(stdout) as { blocks: BlockRow[] };
    assert.deepEqual(
      told.blocks.filter(({ reader }) => reader === 'pg-reader'),
      body.data,
    );
  });

  test('takes the size of the terminal as it changes', async () => {
    await press('0');
    await tmux('resize-window', '-t', session, '-x', '120', '-y', '40');
    const large = await until('wider', (text) => text.split('\n').some((line) => [...line].length > 80));
    assert.match(large, /q quit/);
    await tmux('resize-window', '-t', session, '-x', '60', '-y', '12');
    await until('smaller', (text) => text.trimEnd().split('\n').length === 12 && text.includes('0-4 tables'));
  });

  test('says when the daemon does not answer, and quits in order', async () => {
    process.kill(daemon.pid, 'SIGSTOP');
    try {
      await until('no answer', (text) => text.includes('NO ANSWER'), 20);
    } finally {
      process.kill(daemon.pid, 'SIGCONT');
    }
    await until('it answers again', (text) => text.includes('live'), 20);
    await press('q');
    const left = await until('it is over', (text) => text.includes('ended with'));
    assert.match(left, /^ended with 0$/m);
    assert.doesNotMatch(left, /mmaplockd|READER/, 'the terminal is as it was before');
  });

  test('in a pipe: once, as text and as JSON', async () => {
    const run = (...args: readonly string[]) =>
      execa(process.execPath, [mainFile, 'top', `--url=${daemon.url}`, ...args]);
    const { stdout: text } = await run('--interval=1s');
    assert.match(text, /^pg-reader +smaps +pg-victim/m);
    assert.doesNotMatch(text, /\x1b/);
    const { stdout: json } = await run('--json');
    const { v, blocks } = JSON.parse(json) as { v: number; blocks: { reader: string }[] };
    assert.equal(v, 1);
    assert.ok(blocks.some(({ reader }) => reader === 'pg-reader'));
    // Whoever reads no further is no error.
    const { exitCode } = await execa(
      'bash',
      [
        '-o',
        'pipefail',
        '-c',
        '"$@" | head -c 10 >/dev/null',
        'bash',
        process.execPath,
        mainFile,
        'top',
        `--url=${daemon.url}`,
        '--json',
      ],
      { reject: false },
    );
    assert.equal(exitCode, 0);
  });
});
