import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { History } from '../../../src/api/history.js';
import { checkHtml, recordedHistory, recordingHtml, writeHtml } from '../../../src/cli/record/html.js';
import type { Recording } from '../../../src/cli/record/recording.js';
import { MmaplockError } from '../../../src/errors.js';
import { epoch } from '../../support/daemon.js';
import { blockRow, readerBlockRow, tick, waitRow } from '../../support/records.js';
import { quietDaemon } from '../../support/scenes.js';

const hostile = '</script><img src=x>';

const recordingOf = (reader = 'agent'): Recording => {
  const daemon = quietDaemon().apply(
    tick(epoch + 31_000, {
      waits: [waitRow('write', 'munmap', 2, 6e6)],
      blocks: [blockRow('smaps', 2, 6e6)],
      readerBlocks: [readerBlockRow(reader, 'mysqld', 'smaps', 2, 6e6)],
      writersBlocked: [{ file: 'smaps', nanoseconds: 6e6 }],
    }),
  );
  return { view: daemon.view, startedAt: epoch + 1000, endedAt: epoch + 31_000, gaps: [], incidents: [] };
};

const dataOf = (html: string): { seconds: number; history: History } =>
  JSON.parse(/<script type="application\/json" id="recorded">(.*?)<\/script>/s.exec(html)?.[1] ?? 'none');

test('the file holds all it shows, and asks nobody', () => {
  const html = recordingHtml(recordingOf());
  assert.doesNotMatch(
    html.replace(/<script type="module">[\s\S]*?<\/script>/, ''),
    /(?:src|href)="\/|https?:/,
  );
  const { seconds, history } = dataOf(html);
  assert.equal(seconds, 30);
  assert.match(
    history.sentence,
    /^Readers of smaps blocked writers of `mysqld` for .* of the 30 s recorded; `agent` did it\.$/,
  );
  assert.deepEqual(
    history.columns.flatMap(({ blocks }) => blocks.map(({ reader, victim }) => [reader, victim])),
    [['agent', 'mysqld']],
  );
});

test('its policy lets in the one script and the one sheet that it holds', () => {
  const html = recordingHtml(recordingOf());
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? '';
  const hash = (text = ''): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const script = /<script type="module">([\s\S]*)<\/script>\n<\/body>/.exec(html)?.[1];
  const style = /<style>([\s\S]*?)<\/style>/.exec(html)?.[1];
  assert.ok(policy.includes(`script-src ${hash(script)}`), policy);
  assert.ok(policy.includes(`style-src ${hash(style)}`), policy);
  assert.doesNotMatch(policy, /unsafe|self|\*/);
});

test('a name cannot end the script that holds it', () => {
  const html = recordingHtml(recordingOf(hostile));
  assert.ok(!html.includes(hostile));
  assert.equal(dataOf(html).history.columns.at(-1)?.blocks[0]?.reader, hostile);
});

test('however long it lasts, a picture has room for all of it', () => {
  for (const seconds of [1, 30, 360, 361, 3600]) {
    const { columnSeconds, columns } = recordedHistory(seconds);
    assert.ok(columnSeconds * columns >= seconds + columnSeconds && columns < 400, `${seconds}`);
  }
});

test('a file that is there is left alone, and told before anything is recorded', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'record-html-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'there.html');
  writeFileSync(file, 'mine');
  const isRefused = (code: string) => (error: unknown) =>
    error instanceof MmaplockError && error.code === code && error.field === '--html';
  assert.throws(() => checkHtml(file), isRefused('file_exists'));
  assert.throws(() => writeHtml(file, recordingOf()), isRefused('file_exists'));
  assert.equal(readFileSync(file, 'utf8'), 'mine');
  assert.throws(
    () => writeHtml(path.join(folder, 'no/where.html'), recordingOf()),
    isRefused('file_unwritable'),
  );
  checkHtml(path.join(folder, 'new.html'));
  writeHtml(path.join(folder, 'new.html'), recordingOf());
  assert.ok(statSync(path.join(folder, 'new.html')).size > 50_000);
});
