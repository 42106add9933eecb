/** A recording as one file that a browser shows: the page of the daemon with what was recorded in it. */
import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { historyOf } from '../../api/history.js';
import { describeIncidentFully } from '../../api/incident-rows.js';
import { statusOf } from '../../api/status.js';
import type { DaemonView } from '../../api/view.js';
import { MmaplockError, messageOf } from '../../errors.js';
import { hostSentence } from '../../evidence/host-sentence.js';
import { fillPage } from '../../http/routes/page.js';
import { readPage } from '../../http/routes/page-files.js';
import type { HistoryOptions } from '../../ledger/history.js';
import { durationText } from '../../text/wording.js';
import { observedSeconds, type Recording } from './recording.js';

/** As many columns as a picture has room for. */
const columns = 360;

/** How much is kept of a recording: all of it, a column as short as it can be. */
export const recordedHistory = (seconds: number): HistoryOptions => ({
  columnSeconds: Math.ceil(seconds / columns),
  // Where the recording begins and ends within a column, and where it lasts a little longer.
  columns: columns + 10,
});

/**
 * The file: it asks nobody for anything, and the policy within it lets nothing in but what it holds.
 * @throws Error where the page was not built
 */
export const recordingHtml = (recording: Recording): string => {
  const { html, files } = readPage();
  const [script, style] = ['/page.js', '/page.css'].map(
    (path) => files.find((file) => file.path === path)?.text,
  );
  if (script === undefined || style === undefined)
    throw new Error('the page was not built: run `npm run build`');
  const { view } = recording;
  const data = JSON.stringify(recordedData(recording)).replaceAll('<', '\\u003c');
  const policy = `default-src 'none'; script-src '${hashOf(script)}'; style-src '${hashOf(style)}'; base-uri 'none'; form-action 'none'`;
  return fillPage(html, {
    sentence: sentenceOf(recording),
    version: view.version,
    kernel: view.kernel.release,
  })
    .replace(/<link rel="icon"[^>]*>\n/, '')
    .replace(/<footer>[\s\S]*<\/footer>\n/, '')
    .replace(
      '<meta charset="utf-8">',
      `<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    )
    .replace('<link rel="stylesheet" href="/page.css">', () => `<style>${style}</style>`)
    .replace('<script type="module" src="/page.js"></script>\n', '')
    .replace(
      '</body>',
      () =>
        `<script type="application/json" id="recorded">${data}</script>\n<script type="module">${script}</script>\n</body>`,
    );
};

const hashOf = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;

/** What src/page/recorded.ts reads. */
const recordedData = (recording: Recording) => {
  const { view, incidents, startedAt, endedAt } = recording;
  return {
    seconds: (endedAt - startedAt) / 1000,
    history: { ...historyOf(view), sentence: sentenceOf(recording) },
    status: statusOf(view),
    incidents: incidents.toReversed().map((incident) => describeIncidentFully(incident, view)),
  };
};

const sentenceOf = (recording: Recording): string => {
  const { view } = recording;
  const { observables }: ReturnType<DaemonView['plan']> = view.plan();
  return hostSentence(
    {
      columns: view.ledger.history.columns,
      blind: undefined,
      blocksObserved: observables.blocks.observed,
      blockedTimeObserved: observables.blocked_time.observed,
      span: `the ${durationText(observedSeconds(recording) * 1e9)} recorded`,
    },
    view.cgroup,
  );
};

/** Before anything is recorded that could not be kept. @throws MmaplockError file_exists */
export const checkHtml = (file: string): void => {
  if (existsSync(file)) throw refused(file, 'file_exists', new Error('it is there already'));
};

const fixes = {
  file_exists: 'Name another file with --html, or remove the one that is there.',
  file_unwritable: 'Name a file with --html in a directory that may be written to.',
} as const;

const refused = (file: string, code: keyof typeof fixes, cause: unknown): MmaplockError =>
  new MmaplockError(code, `${file}: ${messageOf(cause)}`, { field: '--html', fix: fixes[code], cause });

/** @throws MmaplockError file_exists, file_unwritable */
export const writeHtml = (file: string, recording: Recording): void => {
  try {
    writeFileSync(file, recordingHtml(recording), { flag: 'wx', mode: 0o644 });
  } catch (error) {
    throw refused(
      file,
      (error as NodeJS.ErrnoException).code === 'EEXIST' ? 'file_exists' : 'file_unwritable',
      error,
    );
  }
};
