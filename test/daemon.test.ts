import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { processRowLimit } from '../src/daemon.js';
import { packageRoot } from '../src/host.js';
import { readCatalog } from '../src/probes/catalog.js';

test('the ledger knows how many names a tick holds at most, or it would not notice that some were left out', async () => {
  const { fragments } = await readCatalog(path.join(packageRoot, 'bpf'));
  const limits = fragments.flatMap(({ prints }) =>
    prints.filter(({ map }) => map === '@process_waits').map(({ limit }) => limit),
  );
  assert.deepEqual(limits, [processRowLimit]);
});
