/** Nothing that the daemon keeps grows without a bound, however many names come and go. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { collectionSizes } from '../support/collections.js';
import { startVirtualHost } from '../support/virtual-host.js';

/** By then what is bounded by time is full, and nearly all that is bounded by names. */
const minutes = 16;

/** What still fills up after that, with what it may hold at most. */
const bounds: Readonly<Record<string, number>> = {
  'cgroups.#absent': 4096,
  'guard.#right': 100,
  'identities.#processes': 4096,
  'identities.#named.#learnt': 4096,
  'say(createRepeatLimit).entries': 1000,
};
/** What the names alone fill. */
const full: Readonly<Record<string, number>> = {
  'identities.#processes': 4096,
  'ledger.waits.list.#entries': 2000,
  'ledger.readers.list.#entries': 2000,
  'ledger.blocks.list.#entries': 2000,
  'ledger.waits.processes.#candidates.#amounts': 1000,
  'ledger.readers.readers.#candidates.#amounts': 1000,
  'ledger.blocks.pairs.#candidates.#amounts': 1000,
  'ledger.convoys.victims.#candidates.#amounts': 1000,
  'ledger.incidents.#kept': 200,
  'stream.#ring.#rooms.*.events': 600,
  'wire.#stalls.#unfinished': 64,
};
/** What comes and goes may be so large at the one moment and empty at the other. */
const byChance = 16;

test(`no collection holds more after ${3 * minutes} minutes of churn than after ${minutes}`, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'mmaplockd-growth-'));
  const host = await startVirtualHost(folder);
  try {
    await host.pass(minutes);
    const early = collectionSizes(host.roots);
    await host.pass(2 * minutes);
    const late = collectionSizes(host.roots);
    const grown = [...late].filter(([where, size]) => size > Math.max(byChance, early.get(where) ?? 0));
    for (const [where, size] of [...late].sort(([, a], [, b]) => b - a))
      if (size >= 200 || grown.some(([other]) => other === where))
        t.diagnostic(`${where}: ${early.get(where) ?? 0}, then ${size}`);
    assert.deepEqual(
      grown.filter(([where, size]) => size > (bounds[where] ?? 0)),
      [],
      'what grew is over its bound, or has none',
    );
    // The churn reached them, so that their bounds were put to the test.
    for (const [where, size] of Object.entries(full)) assert.equal(late.get(where), size, where);
  } finally {
    await host.stop();
    rmSync(folder, { recursive: true });
  }
});
