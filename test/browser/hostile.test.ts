/** Names that processes give themselves, shown by a browser: text, and nothing but text. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { lacking } from '../live/support/host.js';
import { serve } from '../support/stream.js';
import { openBrowser, type RunningBrowser } from './support/browser.js';
import { hostileHost, hostileNames } from './support/scenes.js';

const skip = lacking('chromium');
let browser: RunningBrowser;

before(async () => {
  if (skip === false) browser = await openBrowser();
});
after(() => browser?.close());

test('names never become markup, wherever the page shows them', { skip }, async (context) => {
  const { url } = await serve(context, hostileHost());
  const { page, complaints, origins } = await browser.open(url);
  await page.locator('#live.live').waitFor();
  await page.locator('#incidents button').first().click();
  await page.locator('.timeline').waitFor();
  for (const name of Object.values(hostileNames))
    for (const place of ['#sentence', '#matrix', '#incidents'])
      assert.ok((await page.locator(place).innerText()).includes(name), `${name} in ${place}`);
  await page.getByRole('button', { name: hostileNames.reader }).first().click();
  assert.ok((await page.locator('#filter').innerText()).includes(hostileNames.reader));
  const other = await browser.open(page.url());
  await other.page.locator('#filter button').waitFor();
  for (const one of [page, other.page])
    assert.equal(await one.locator('img, svg[onload], script:not([src])').count(), 0);
  assert.deepEqual([...complaints, ...other.complaints], []);
  assert.deepEqual(
    [...origins, ...other.origins].filter((origin) => origin !== new URL(url).origin),
    [],
  );
});
