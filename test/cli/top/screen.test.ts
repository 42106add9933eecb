import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageOf, type ScreenOptions, screenOf } from '../../../src/cli/top/screen.js';
import type { BlockRow, Snapshot } from '../../../src/cli/top/snapshot.js';
import { sparkline } from '../../../src/cli/top/sparkline.js';
import { startState } from '../../../src/cli/top/state.js';

const at = Date.UTC(2026, 0, 1, 12);

const blockRow = (reader: string, seconds: number, more: Partial<BlockRow> = {}): BlockRow => ({
  file: 'smaps',
  reader,
  reader_cgroup_id: '1',
  reader_unit: `${reader}.service`,
  reader_container_id: null,
  victim: 'mysqld',
  victim_cgroup_id: '2',
  blocks_total: 10,
  block_seconds_total: seconds,
  ...more,
});

const snapshot = (more: Partial<Snapshot> = {}): Snapshot => ({
  at,
  takenAt: at,
  sentence: 'Readers of smaps blocked writers of `mysqld` for 3.1 % of the last minute; `agent` did it.',
  columns: [],
  ready: true,
  problems: [],
  processes: [
    {
      process: 'mysqld',
      cgroup_id: '2',
      unit: null,
      container_id: null,
      read_waits_total: 1,
      write_waits_total: 2,
      waited_seconds_total: 5,
    },
  ],
  readers: [
    {
      file: 'smaps',
      reader: 'agent',
      cgroup_id: '1',
      unit: null,
      container_id: null,
      reads_total: null,
      opens_total: 7,
      retries_total: null,
    },
  ],
  blocks: [blockRow('agent', 4), blockRow('atop', 6)],
  waiting: [{ process: null, pid: '42', tid: '43', mode: 'write', operation: 'munmap', seconds: 0.25 }],
  ...more,
});

const before = snapshot({ at: at - 2000, blocks: [blockRow('agent', 1), blockRow('atop', 6)] });

const options: ScreenOptions = {
  width: 80,
  height: 24,
  styled: false,
  unicode: true,
  source: 'localhost:10465',
  trouble: undefined,
};

const rowOf = (lines: readonly string[], name: string): string =>
  lines.find((line) => line.startsWith(name)) ?? `no line begins with ${name}`;

for (const leap of [3_600_000, -3_600_000])
  test(`rates are of the seconds that passed, though the time of day was set by ${leap / 1000} s`, () => {
    const had = snapshot({ ...before, takenAt: at - 2000 });
    const linesOf = (now: Snapshot) =>
      screenOf(now, had, startState, options).filter((line) => /agent|atop/.test(line));
    assert.deepEqual(linesOf(snapshot({ at: at + leap })), linesOf(snapshot()));
    assert.ok(linesOf(snapshot()).length > 1);
  });

test('fits the terminal, whatever its size and whatever is shown', () => {
  const many = snapshot({
    blocks: Array.from({ length: 300 }, (_, index) => blockRow(`agent-${index}`, index)),
  });
  for (const [width, height] of [
    [80, 24],
    [200, 60],
    [20, 5],
    [1, 1],
  ] as const)
    for (const state of [
      startState,
      { ...startState, view: 'blocks' as const },
      { ...startState, help: true },
    ]) {
      const lines = screenOf(many, before, state, { ...options, width, height });
      assert.equal(lines.length, Math.max(1, height), `${width}x${height}`);
      for (const line of lines) assert.ok([...line].length <= width, line);
    }
});

test('at 80x24 the sentence, every table and the keys are there', () => {
  const lines = screenOf(snapshot(), before, startState, options);
  const text = lines.join('\n');
  for (const part of [
    '3.1 %',
    'READER',
    'VICTIM',
    'PROCESS',
    'OPERATION',
    'q quit',
    'agent',
    'mysqld',
    '(gone)',
  ])
    assert.ok(text.includes(part), `${part} in\n${text}`);
});

test('rates are what grew between two looks; without a look before there are none', () => {
  const lines = pageOf(snapshot(), before, startState, options);
  assert.match(rowOf(lines, 'agent '), /^agent +smaps +mysqld +1\.5 s\/s +4 s +10 agent\.service$/);
  assert.match(rowOf(pageOf(snapshot(), undefined, startState, options), 'atop'), /mysqld +- +6 s/);
});

test('sorted by what grows, by all, by name, and the other way round', () => {
  const order = (more: Partial<typeof startState>): string[] =>
    pageOf(snapshot(), before, { ...startState, ...more }, options)
      .filter((line) => /mysqld .* 10 /.test(line))
      .map((line) => line.split(' ')[0] ?? '');
  assert.deepEqual(order({}), ['agent', 'atop']);
  assert.deepEqual(order({ sort: 'total' }), ['atop', 'agent']);
  assert.deepEqual(order({ sort: 'name', reversed: true }), ['atop', 'agent']);
  assert.deepEqual(order({ filter: 'ATOP' }), ['atop']);
});

test('what is not observed is no 0', () => {
  assert.match(pageOf(snapshot(), before, startState, options).join('\n'), /agent +smaps +0 +- +- +7/);
});

test('a name cannot drive the terminal', () => {
  const hostile = snapshot({ blocks: [blockRow('\x1b[2J\x07evil', 1)], sentence: 'a\nb\x1b]0;x\x07' });
  for (const line of screenOf(hostile, undefined, startState, options)) assert.doesNotMatch(line, /\p{Cc}/u);
});

test('trouble is said, and what was seen last stays', () => {
  const lines = screenOf(snapshot(), before, startState, { ...options, trouble: 'connect ECONNREFUSED' });
  const narrow = { ...options, width: 40, source: `http://${'long'.repeat(9)}`, trouble: 'no answer' };
  for (const screen of [lines, screenOf(snapshot(), before, startState, narrow)])
    assert.match(screen[0] ?? '', /NO ANSWER/);
  assert.ok(lines.some((line) => line.startsWith('! connect ECONNREFUSED')));
  assert.ok(lines.some((line) => line.startsWith('agent ')));
});

test('a sparkline: the tallest is the largest, little is not nothing, and a gap is a gap', () => {
  assert.equal(sparkline([0, 0.001, 4, 8, null], true), '▁▂▅█ ');
  assert.equal(sparkline([0, 8], false), '_@');
  assert.equal(sparkline([], true), '');
});
