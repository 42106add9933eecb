/** The file of `record --html`, opened from disk as somebody would who found it in a ticket. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { killLeftovers } from '../live/support/children.js';
import { runCli } from '../live/support/daemon.js';
import { lacking } from '../live/support/host.js';
import { openBrowser, type RunningBrowser } from './support/browser.js';
import { startLoad } from './support/load.js';

const skip = lacking('root', 'tracing', 'bpftrace', 'chromium');
const folder = mkdtempSync(path.join(tmpdir(), 'mmaplockd-recorded-'));
let browser: RunningBrowser;

before(async () => {
  if (skip === false) browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await killLeftovers();
  rmSync(folder, { recursive: true });
});

test('it shows what was recorded, by itself', { skip }, async () => {
  const file = path.join(folder, 'recorded.html');
  const load = await startLoad();
  const { exitCode, stderr, stdout } = await runCli(['record', '--for=4s', `--html=${file}`]);
  await load.stop();
  assert.equal(exitCode, 0, stderr);
  assert.match(stdout, /pg-reader/);
  const { page, complaints, origins } = await browser.open(pathToFileURL(file).href);
  const row = page.locator('#matrix tr', { hasText: 'pg-reader' });
  await row.waitFor();
  assert.match(String(await row.locator('td[title]').first().getAttribute('title')), /^pg-victim waited/);
  const sentence = await page.locator('#sentence').innerText();
  assert.match(sentence, /^Readers of smaps.* blocked writers of pg-victim for .* recorded; pg-reader did/);
  assert.match(await page.locator('#files').innerText(), /smaps[\s\S]*holds the lock of the whole/);
  assert.equal(await page.locator('#waits canvas').count(), 1);
  for (const id of ['pause', 'live', 'window-label']) assert.ok(await page.locator(`#${id}`).isHidden(), id);
  assert.deepEqual(complaints, []);
  assert.deepEqual([...new Set(origins)], ['null'], 'of a file');
});
