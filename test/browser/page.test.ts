/** The page in a real browser, over the real daemon and the kernel under load. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { resourcesOf } from '../faults/support/resources.js';
import { killLeftovers } from '../live/support/children.js';
import { type RunningDaemon, startDaemon } from '../live/support/daemon.js';
import { lacking } from '../live/support/host.js';
import { type OpenPage, openBrowser, type RunningBrowser } from './support/browser.js';
import { type Load, startLoad } from './support/load.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const skip = lacking('root', 'tracing', 'bpftrace', 'chromium');

after(killLeftovers);

/** Of what the page shows, such as `668 ms` or `1.2 min`. */
const secondsOf = (shown: string): number => {
  const [, amount, unit = ''] = /^([\d.,]+) (ms|s|min)$/.exec(shown) ?? [];
  return Number(amount?.replaceAll(',', '')) * ({ ms: 0.001, s: 1, min: 60 }[unit] ?? Number.NaN);
};

describe('the page', { skip }, () => {
  let browser: RunningBrowser;
  let daemon: RunningDaemon;
  let load: Load;
  let open: OpenPage;

  before(async () => {
    browser = await openBrowser();
    daemon = await startDaemon();
    await daemon.ready();
    load = await startLoad();
    open = await browser.open(daemon.url);
    await open.page.locator('#live.live').waitFor();
  });

  after(async () => {
    await load?.stop();
    await browser?.close();
    assert.equal(await daemon?.stop(), 0);
  });

  const sentence = (page: Page): Promise<string> => page.locator('#sentence').innerText();

  test('the sentence names the reader and the victim, and the matrix shows that pair', async () => {
    const { page } = open;
    await page.getByText(/did (it|most of it)\.$/).waitFor({ timeout: 30_000 });
    // What the daemon put into the page has backticks until the script of the page has run.
    await page.locator('#sentence b').first().waitFor();
    const told = await sentence(page);
    assert.match(told, /^Readers of smaps( and smaps_rollup)? blocked writers of pg-victim for /);
    assert.match(told, /pg-reader .*did (it|most of it)\.$/);
    const cell = page.locator('#matrix tr', { hasText: 'pg-reader' }).locator('td[title]').first();
    assert.match(String(await cell.getAttribute('title')), /^pg-victim waited .*: pg-reader by smaps, /);
    assert.match(await page.locator('#health').innerText(), /Monitoring is whole/);
  });

  test('its numbers are those of the API', async () => {
    const { page } = open;
    await page.locator('#pause').click();
    const { body } = await daemon.get<{ data: { reader: string; block_seconds_total: number }[] }>(
      '/api/v1/blocks?reader=pg-reader',
    );
    const total = body.data.reduce((sum, row) => sum + row.block_seconds_total, 0);
    const shown = await page.locator('#matrix tr', { hasText: 'pg-reader' }).locator('.sum').innerText();
    await page.locator('#pause').click();
    await page.locator('#live.live').waitFor();
    // Shown with two digits, and up to a second of the load older.
    assert.ok(
      Math.abs(secondsOf(shown) - total) < 0.06 * total + 2,
      `${shown} on the page, ${total} by the API`,
    );
  });

  test('a name filters everything, also by the keyboard, and the address shows others the same', async () => {
    const { page } = open;
    const rows = page.locator('#matrix tbody tr');
    await page.locator('#matrix tr', { hasText: 'pg-other' }).waitFor({ timeout: 20_000 });
    const before = await rows.count();
    await page.locator('button[data-key="reader pg-reader"]').focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/#reader=pg-reader$/);
    await page.locator('button[data-key="chosen reader"]').waitFor();
    assert.equal(await rows.count(), 1, `${before} before`);
    assert.equal(await page.evaluate('document.activeElement.dataset.key'), 'reader pg-reader');
    const other = await browser.open(page.url());
    await other.page.locator('#matrix tr', { hasText: 'pg-reader' }).waitFor();
    assert.equal(await other.page.locator('#matrix tbody tr').count(), 1);
    await other.page.close();
    await page.locator('button[data-key="chosen reader"]').click();
    await page.locator('#matrix tr', { hasText: 'pg-other' }).waitFor();
  });

  test('a page that was just opened shows what was before it', async () => {
    const other = await browser.open(daemon.url);
    await other.page.locator('#matrix tr', { hasText: 'pg-reader' }).waitFor({ timeout: 5000 });
    await other.page.close();
  });

  test('the connections of pages go with them', async () => {
    const pages = 3;
    const descriptors = async (): Promise<number> => (await resourcesOf(daemon.pid)).descriptors;
    const before = await descriptors();
    const opened = [];
    for (let index = 0; index < pages; index += 1) opened.push(await browser.open(daemon.url));
    await Promise.all(opened.map((one) => one.page.locator('#live.live').waitFor()));
    const during = await descriptors();
    assert.ok(during >= before + pages, `each page listens: ${before} descriptors, then ${during}`);
    for (const one of opened) await one.page.close();
    let left = during;
    for (const deadline = Date.now() + 10_000; left > before && Date.now() < deadline; await sleep(100))
      left = await descriptors();
    assert.ok(left <= before, `${before} descriptors, ${during} with ${pages} pages, ${left} after them`);
  });

  test('the files say how this kernel serves them', async () => {
    const text = await open.page.locator('#files').innerText();
    for (const part of ['smaps', 'holds the lock of the whole address space', 'mmap_lock'])
      assert.ok(text.includes(part), part);
  });

  test('paused, it stands still; hidden, it lets its stream go; and both are said', async () => {
    const { page } = open;
    await page.locator('#pause').click();
    await page.locator('#live.paused').waitFor();
    await page.locator('#pause').click();
    await page.locator('#live.live').waitFor();
    const hide = (hidden: boolean): Promise<void> =>
      page.evaluate(
        `Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true });
         document.dispatchEvent(new Event('visibilitychange'));`,
      );
    await hide(true);
    await page.locator('#live.hidden').waitFor();
    await hide(false);
    await page.locator('#live.live').waitFor();
  });

  for (const scheme of ['light', 'dark'] as const)
    test(`axe finds no serious fault (${scheme})`, async () => {
      const { page } = open;
      // A shade that is on its way to another has a contrast of its own.
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      // By the debugger, for the policy of the page lets no foreign script in.
      const found = await page.evaluate(`${axe}; axe.run()`);
      const { violations } = found as {
        violations: { id: string; impact: string; nodes: { html: string }[] }[];
      };
      const serious = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
      assert.deepEqual(
        serious.map(({ id, nodes }) => [id, nodes[0]?.html]),
        [],
      );
    });

  test('no word in the console, and nothing asked of anybody else', () => {
    assert.deepEqual(open.complaints, []);
    assert.deepEqual(
      open.origins.filter((origin) => origin !== new URL(daemon.url).origin),
      [],
    );
  });

  test('the stream goes on after the daemon was started again', async () => {
    const { page } = open;
    const port = new URL(daemon.url).port;
    assert.equal(await daemon.stop(), 0);
    await page.locator('#live.lost').waitFor({ timeout: 10_000 });
    daemon = await startDaemon({ port: Number(port), args: ['--bpftrace.stall-seconds=2'] });
    await daemon.ready();
    await page.locator('#live.live').waitFor({ timeout: 15_000 });
    await page.getByText(/pg-reader .*did (it|most of it)\.$/).waitFor({ timeout: 30_000 });
  });

  test('a tracer that stands still and is killed is said, and that it is back', async () => {
    const { page } = open;
    process.kill(await daemon.tracerPid(), 'SIGSTOP');
    await page.getByText(/Monitoring is not whole/).waitFor({ timeout: 30_000 });
    process.kill(await daemon.tracerPid(), 'SIGKILL');
    await page.getByText(/Monitoring is whole/).waitFor({ timeout: 60_000 });
  });
});
