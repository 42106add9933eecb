/** What the daemon writes, where the host refuses all else. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, test } from 'node:test';
import { killLeftovers } from '../../live/support/children.js';
import { lacking } from '../../live/support/host.js';
import { liveThrough } from '../support/whole-life.js';
import { writingOnlyTo } from '../support/written.js';

afterEach(killLeftovers);

test('it works where it can write to its state directory alone', {
  skip: lacking('root', 'tracing', 'bpftrace'),
}, async (t) => {
  const state = await mkdtemp(path.join(tmpdir(), 'mmaplockd-doors-'));
  t.after(() => rm(state, { recursive: true }));
  const { log } = await liveThrough(state, writingOnlyTo(state));
  const refused = log.filter((line) => /EROFS|[Rr]ead-only/.test(JSON.stringify(line)));
  // Its mark is in /run/mmaplockd, the runtime directory of the unit: what is lost without it is said once.
  assert.deepEqual(
    refused.map(({ msg }) => /^a second mmaplockd on this host would not be noticed: /.test(String(msg))),
    [true],
    JSON.stringify(refused),
  );
});
