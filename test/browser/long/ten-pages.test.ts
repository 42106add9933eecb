/** Ten open pages: what they make the daemon take. PAGES_MINUTES says for how long; one unless told otherwise. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { startReference, type Taken } from '../../faults/support/light/reference.js';
import {
  assertSmall,
  megabytes,
  node,
  removePackaged,
  startPackaged,
} from '../../faults/support/packaged.js';
import { resourcesOf } from '../../faults/support/resources.js';
import { killLeftovers } from '../../live/support/children.js';
import { lacking } from '../../live/support/host.js';
import { runWorkload } from '../../live/support/workload.js';
import { assertTimely, upToThreeTimes } from '../../support/timing.js';
import { openBrowser } from '../support/browser.js';

const minutes = Number(process.env.PAGES_MINUTES ?? 1);
const pages = 10;
/** CPU time of the daemon as a multiple of that of a reference: that of test/faults/long/light.test.ts in a storm. */
const mostTimes = 14;
after(killLeftovers);
after(removePackaged);

test(`ten pages for ${minutes} min: CPU and memory stay within bounds, and their connections go with them`, {
  skip: lacking('root', 'tracing', 'bpftrace', 'chromium'),
}, async (t) => {
  const daemon = await startPackaged();
  await daemon.ready();
  const seconds = String((3 * minutes + 10) * 60);
  const writers = await runWorkload('writers', [
    ...['--seconds', seconds, '--threads', '2', '--name', 'pg-victim'],
  ]);
  await writers.ready;
  const reference = startReference();
  const reader = await runWorkload('proc-reader', ['smaps', String(writers.pid), '--seconds', seconds]);
  // In which the reference is compiled.
  await pause(20_000);
  const text = ({ daemon: own, reference: other }: Taken<'daemon'>): string =>
    `${own.toFixed(2)} % of a core (${(own / other).toFixed(1)} times the reference)`;
  const alone = await reference.watch({ daemon: daemon.pid }, 15);
  const before = await resourcesOf(daemon.pid);
  t.diagnostic(
    `Node (${node().version}) ${text(alone)} in a storm; at most ${megabytes(daemon.pid, 'VmHWM').toFixed(0)} MB resident`,
  );

  const browser = await openBrowser();
  const opened = [];
  for (let index = 0; index < pages; index += 1) opened.push(await browser.open(daemon.url));
  await Promise.all(opened.map(({ page }) => page.locator('#live.live').waitFor()));
  await upToThreeTimes(t, 'ten-pages', async () => {
    const looked = await reference.watch({ daemon: daemon.pid }, minutes * 60);
    t.diagnostic(`${text(looked)} with ${pages} pages`);
    assertTimely(
      looked.daemon < mostTimes * looked.reference,
      `${text(looked)}, ${mostTimes} times are allowed`,
    );
  });
  const during = await resourcesOf(daemon.pid);
  for (const { page, complaints } of opened) {
    assert.match(await page.locator('#sentence').innerText(), /pg-victim/);
    assert.deepEqual(complaints, []);
  }
  await browser.close();
  const deadline = Date.now() + 10_000;
  let left = await resourcesOf(daemon.pid);
  for (; left.descriptors > before.descriptors + 2 && Date.now() < deadline; await pause(100))
    left = await resourcesOf(daemon.pid);
  await Promise.all([reader.stop(), writers.stop()]);
  reference.stop();
  t.diagnostic(
    `at most ${megabytes(daemon.pid, 'VmHWM').toFixed(0)} MB resident; descriptors ` +
      `${before.descriptors}, ${during.descriptors}, ${left.descriptors}`,
  );
  assertSmall(daemon.pid, `with ${pages} pages`);
  assert.ok(during.descriptors >= before.descriptors + pages, 'each page listens');
  assert.ok(
    left.descriptors <= before.descriptors + 2,
    `${left.descriptors} descriptors, ${before.descriptors} before`,
  );
  assert.equal(await daemon.stop(), 0);
});
