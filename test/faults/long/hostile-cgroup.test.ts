/** A cgroup called to disturb: its unit arrives escaped where names are those of units. */
import assert from 'node:assert/strict';
import { mkdir, rmdir } from 'node:fs/promises';
import { test } from 'node:test';
import { killLeftovers } from '../../live/support/children.js';
import { startDaemon } from '../../live/support/daemon.js';
import { lacking } from '../../live/support/host.js';
import { parseExposition, samplesOf } from '../../support/exposition.js';
import { hostileCgroup } from '../support/hostile/cgroup.js';
import { assertHarmless, names, startPair } from '../support/hostile/pair.js';

test('a cgroup that is called so is shown escaped, as unit and as label', {
  skip: lacking('root', 'tracing', 'bpftrace') || hostileCgroup.lacking(),
}, async () => {
  const { directory, shown } = hostileCgroup;
  await mkdir(directory, { recursive: true });
  try {
    const daemon = await startDaemon({ args: ['--metrics.name-by=unit', '--cost.budget-percent=0'] });
    await daemon.ready();
    const name = names[0]!;
    let text = '';
    // A unit is looked for every 10 s, and until then the name stands for it.
    for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
      await (await startPair(name, { passes: 100, cgroup: directory })).stop();
      ({ text } = await daemon.settled());
      if (samplesOf(text, 'mmaplock_process_waits_total', { process: shown }).length > 0) break;
    }
    parseExposition(text);
    assertHarmless(text, '/metrics');
    const units = samplesOf(text, 'mmaplock_reader_reads_total', { reader: shown, file: 'smaps' });
    assert.equal(units.length, 1);
    const route = `/api/v1/processes?process=${encodeURIComponent(name.shown)}`;
    const { body } = await daemon.get<{ data: { unit: string }[] }>(route);
    assert.deepEqual(
      body.data.map(({ unit }) => unit),
      [shown],
    );
    assert.equal(await daemon.stop(), 0);
  } finally {
    await killLeftovers();
    await rmdir(directory);
  }
});
