/** Pictures of the page, for people to look at: dist/screenshots. Two of them are in the README. */
import assert from 'node:assert/strict';
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { packageRoot } from '../live/support/daemon.js';
import { lacking } from '../live/support/host.js';
import type { FakeDaemon } from '../support/daemon.js';
import { serve } from '../support/stream.js';
import { openBrowser, type PageOptions, type RunningBrowser } from './support/browser.js';
import { crowdedHost, quietHost, tracerDown, usualHost } from './support/scenes.js';

const folder = path.join(packageRoot, 'dist/screenshots');

interface Shot extends PageOptions {
  readonly name: string;
  readonly host: () => FakeDaemon;
  readonly says: RegExp;
  /** The incident is opened. */
  readonly incident?: boolean;
}

const shots: readonly Shot[] = [
  { name: 'light', host: usualHost, says: /blocked writers/, incident: true },
  { name: 'dark', host: usualHost, says: /blocked writers/, colorScheme: 'dark' },
  { name: 'narrow', host: usualHost, says: /blocked writers/, width: 390 },
  { name: 'quiet', host: quietHost, says: /No reader of a proc file was seen to block anybody/ },
  { name: 'tracer-down', host: tracerDown, says: /not observed right now/ },
  { name: 'crowded', host: crowdedHost, says: /blocked writers/ },
];

describe('pictures of the page', { skip: lacking('chromium') }, () => {
  let browser: RunningBrowser;
  before(async () => {
    mkdirSync(folder, { recursive: true });
    browser = await openBrowser();
  });
  after(() => browser?.close());

  for (const { name, host, says, incident = false, ...options } of shots)
    test(name, async (context) => {
      const { url } = await serve(context, host());
      const { page, complaints } = await browser.open(url, options);
      await page.locator('#live.live').waitFor();
      assert.match(await page.locator('#sentence').innerText(), says);
      await page.locator('#files td').first().waitFor();
      if (incident) {
        await page.locator('#incidents button').first().click();
        await page.locator('.timeline').waitFor();
      }
      // Wide tables scroll within themselves: the page itself never does.
      const wider = await page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      assert.equal(wider, 0, 'the page is as wide as its window');
      const file = path.join(folder, `${name}.png`);
      await page.screenshot({ path: file, fullPage: true });
      assert.ok(statSync(file).size > 20_000);
      assert.deepEqual(complaints, []);
      await page.close();
    });
});
