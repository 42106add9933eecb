import assert from 'node:assert/strict';
import { test } from 'node:test';
import { record } from '../../../src/cli/record/record.js';
import type { Config } from '../../../src/config/schema.js';
import { MmaplockError } from '../../../src/errors.js';
import { HandClock } from '../../bpftrace/hand-clock.js';
import { FakeDaemon, failedTracer } from '../../support/daemon.js';

test('where nothing can be observed it says why by its code, and the daemon it started is ended', async () => {
  const daemon = new FakeDaemon({
    tracer: failedTracer(),
    flags: {
      'incidents.directory': '/var/lib/mmaplockd',
      'incidents.wait_ms': 20,
      'web.unix_socket': '/run/x.sock',
    },
  });
  const started: Config[] = [];
  let stops = 0;
  const recorded = record(
    daemon.config,
    { seconds: 30, json: false, html: undefined },
    new HandClock(),
    async (config: Config) => {
      started.push(config);
      return {
        view: daemon.view,
        urls: [],
        stop: async () => {
          stops += 1;
        },
      };
    },
  );
  await assert.rejects(recorded, (error: unknown) => {
    assert.ok(error instanceof MmaplockError, String(error));
    assert.deepEqual([error.code, error.message], ['bpftrace_missing', 'there is no bpftrace']);
    return true;
  });
  assert.equal(stops, 1);
  assert.equal(started.length, 1);
  const [{ web, incidents } = daemon.config] = started;
  assert.deepEqual([web.listen_address, web.unix_socket], [[], ''], 'it listens nowhere');
  assert.equal(incidents.directory, '', 'the incidents on disk are those of the daemon');
  assert.equal(incidents.wait_ms, 20);
});
