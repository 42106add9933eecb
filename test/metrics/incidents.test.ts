import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epoch, planOf } from '../support/daemon.js';
import { samplesOf, valueIn } from '../support/exposition.js';
import { stall, stallReader, tick } from '../support/records.js';
import { busyDaemon, quietDaemon, silentDaemon } from '../support/scenes.js';

const family = 'mmaplock_incidents_total';
const ms = 1e6;

const untold = 'mmaplock_incident_losses_total';

test('before the first tick, and where stalls are not observed, they are absent', async () => {
  const plan = planOf(['waits', 'operations', 'opens', 'reads', 'blocks']);
  for (const name of [family, untold]) {
    assert.deepEqual(samplesOf(await silentDaemon().text(), name), []);
    assert.deepEqual(samplesOf(await busyDaemon({ plan }).text(), name), []);
  }
});

test('what is missing of incidents, by reason and from 0: too many at once, too many in all, the disk', async () => {
  const daemon = quietDaemon();
  const counted = async () =>
    Object.fromEntries(
      samplesOf(await daemon.text(), untold).map(({ labels: { reason }, value }) => [reason, value]),
    );
  assert.deepEqual(await counted(), { too_many_open: 0, dropped: 0, not_written: 0, lost: 0 });
  const victim = (pid: number) => ({ name: `v${pid}`, cgroupId: '1', pid, tid: pid });
  for (let pid = 1; pid <= 53; pid += 1) daemon.apply(stall(epoch + 2000, 60 * ms, { victim: victim(pid) }));
  for (let index = 1; index <= 155; index += 1)
    daemon.apply(stall(epoch + 20_000 * index, 60 * ms, { victim: victim(index) }));
  daemon.incidentLosses = { notWritten: 2, lost: 1 };
  assert.deepEqual(await counted(), { too_many_open: 3, dropped: 5, not_written: 2, lost: 1 });
});

test('from the first tick on every file whose reader can block, and none, is there at 0', async () => {
  const samples = samplesOf(await quietDaemon().text(), family);
  assert.deepEqual(
    samples.map(({ labels: { file }, value }) => [file, value]).sort(),
    [
      'clear_refs',
      'map_files',
      'maps',
      'none',
      'numa_maps',
      'pagemap',
      'procmap_query',
      'smaps',
      'smaps_rollup',
    ].map((file) => [file, 0]),
  );
});

test('an incident counts under the file of its reader at once, without one under none when it closes', async () => {
  const daemon = quietDaemon();
  const counted = async () => {
    const text = await daemon.text();
    return ['smaps', 'none'].map((file) => valueIn(text, family, { file }));
  };
  const other = { name: 'redis', cgroupId: '1', pid: 7, tid: 7 };
  daemon.apply(
    stall(epoch + 2000, 60 * ms, { readers: [stallReader('agent', 'smaps', 60 * ms)] }),
    stall(epoch + 3000, 60 * ms, { victim: other }),
    tick(epoch + 4000),
  );
  assert.deepEqual(await counted(), [1, 0]);
  daemon.apply(tick(epoch + 60_000));
  assert.deepEqual(await counted(), [1, 1]);
});
