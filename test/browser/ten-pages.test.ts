/** Ten open pages: what they make the daemon take. PAGES_MINUTES says for how long; one unless told otherwise. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { watchMachineSpeed } from '../faults/support/machine-speed.js';
import { cpuSeconds, megabytes, node, removePackaged, startPackaged } from '../faults/support/packaged.js';
import { resourcesOf } from '../faults/support/resources.js';
import { killLeftovers } from '../live/support/children.js';
import { lacking } from '../live/support/host.js';
import { runWorkload } from '../live/support/workload.js';
import { openBrowser } from './support/browser.js';

const minutes = Number(process.env.PAGES_MINUTES ?? 1);
const pages = 10;
/** Those of test/faults/light.test.ts: in a storm, whether somebody looks or not. */
const limits = { percent: 2, megabytes: 110 };
after(killLeftovers);
after(removePackaged);

test(`ten pages for ${minutes} min: CPU and memory stay within bounds, and their connections go with them`, {
  skip: lacking('root', 'tracing', 'bpftrace', 'chromium'),
}, async (t) => {
  const daemon = await startPackaged();
  await daemon.ready();
  const seconds = String(minutes * 60 + 120);
  const writers = await runWorkload('writers', [
    ...['--seconds', seconds, '--threads', '2', '--name', 'pg-victim'],
  ]);
  await writers.ready;
  const machine = watchMachineSpeed();
  const target = String(writers.pid);
  const reader = await runWorkload('proc-reader', ['smaps', target, '--seconds', seconds]);
  await pause(20_000);
  const watch = async (during: number) => {
    machine.slowness();
    const [from, cpu] = [performance.now(), cpuSeconds(daemon.pid)];
    await pause(during);
    const percent = ((cpuSeconds(daemon.pid) - cpu) / ((performance.now() - from) / 1000)) * 100;
    // The browser takes the CPUs of this same host, and what the daemon had in their caches.
    return { percent, slowness: machine.slowness() };
  };
  const alone = await watch(15_000);
  const before = await resourcesOf(daemon.pid);
  const mostAlone = megabytes(daemon.pid, 'VmHWM');

  const browser = await openBrowser();
  const opened = [];
  for (let index = 0; index < pages; index += 1) opened.push(await browser.open(daemon.url));
  await Promise.all(opened.map(({ page }) => page.locator('#live.live').waitFor()));
  const looked = await watch(minutes * 60_000);
  const most = megabytes(daemon.pid, 'VmHWM');
  const during = await resourcesOf(daemon.pid);
  for (const { page, complaints } of opened) {
    assert.match(await page.locator('#sentence').innerText(), /pg-victim/);
    assert.deepEqual(complaints, []);
  }
  await browser.close();
  await pause(2000);
  const left = await resourcesOf(daemon.pid);
  await Promise.all([reader.stop(), writers.stop()]);
  machine.stop();
  const text = ({ percent, slowness }: typeof alone): string =>
    `${percent.toFixed(2)} % of a core (the machine ${slowness.toFixed(2)} times as slow as usual)`;
  t.diagnostic(
    `Node (${node().version}) ${text(alone)} in a storm, ${text(looked)} with ${pages} pages; ` +
      `at most ${mostAlone.toFixed(0)} and ${most.toFixed(0)} MB resident; descriptors ${before.descriptors}, ${during.descriptors}, ${left.descriptors}`,
  );
  assert.ok(looked.percent < limits.percent * looked.slowness, text(looked));
  assert.ok(most < limits.megabytes, `${most} MB resident`);
  assert.ok(during.descriptors >= before.descriptors + pages, 'each page listens');
  assert.ok(
    left.descriptors <= before.descriptors + 2,
    `${left.descriptors} descriptors, ${before.descriptors} before`,
  );
  assert.equal(await daemon.stop(), 0);
});
