import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { nameRowLimit } from '../../src/daemon/ledger.js';
import { packageRoot } from '../../src/package-root.js';
import { readCatalog } from '../../src/probes/catalog.js';

test('the ledger knows how many names a tick holds at most, or it would not notice that some were left out', async () => {
  const { fragments } = await readCatalog(path.join(packageRoot, 'bpf'));
  const limits = new Map(
    fragments.flatMap(({ prints }) =>
      prints
        .filter(({ map }) => /^@(process|reader|victim)_/.test(map))
        .map(({ map, limit }) => [map, limit] as const),
    ),
  );
  assert.ok(limits.has('@process_waits') && limits.has('@reader_reads') && limits.has('@reader_blocks'));
  for (const [map, limit] of limits) assert.equal(limit, nameRowLimit, map);
});
