import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { OwnDaemon, StartDaemon } from '../../../src/cli/own-daemon.js';
import { supportBundle } from '../../../src/cli/support-bundle/support-bundle.js';
import { loadConfig } from '../../../src/config/load.js';
import { MmaplockError } from '../../../src/errors.js';
import { HandClock } from '../../bpftrace/hand-clock.js';
import { failedTracer } from '../../support/daemon.js';
import { busyDaemon } from '../../support/scenes.js';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mmaplockd-test-'));
});
afterEach(() => rm(directory, { recursive: true }));

interface Bundle {
  readonly v: number;
  readonly host: string;
  readonly configuration: { readonly bpftrace: { readonly path: string } };
  readonly check: { readonly verdict: string; readonly bpftrace: { readonly code: string } };
  readonly bpftrace_stderr: readonly string[];
  readonly daemon: {
    readonly error?: { readonly code: string; readonly message: string };
    readonly status: {
      readonly ready: boolean;
      readonly tracer: { readonly error: { readonly code: string } };
    };
    readonly program: string | null;
    readonly recording: { readonly error?: { readonly code: string } } | null;
    readonly metrics: string;
  };
}

/** With a bpftrace that is not there, so that none is run. */
const bundleOf = async (startDaemon: StartDaemon, anonymous = false): Promise<Bundle> => {
  const file = path.join(directory, 'bundle.json');
  const config = loadConfig({ flags: { 'bpftrace.path': '/nonexistent/bpftrace' } });
  assert.equal(await supportBundle(config, { seconds: 1, file, anonymous }, new HandClock(), startDaemon), 0);
  return JSON.parse(await readFile(file, 'utf8')) as Bundle;
};

/** Nothing of it can be observed, whatever it has seen before. */
const brokenDaemon = (stopped: () => void): OwnDaemon => ({
  view: busyDaemon({ tracer: failedTracer() }).view,
  urls: [],
  stop: async () => stopped(),
});

test('where nothing is observed the bundle tells why, and all that is known', async () => {
  let stops = 0;
  const bundle = await bundleOf(async () => brokenDaemon(() => (stops += 1)));
  assert.equal(stops, 1);
  assert.equal(bundle.v, 1);
  assert.equal(bundle.configuration.bpftrace.path, '/nonexistent/bpftrace');
  assert.deepEqual([bundle.check.verdict, bundle.check.bpftrace.code], ['blind', 'bpftrace_missing']);
  const { status, program, recording, metrics } = bundle.daemon;
  assert.deepEqual([status.ready, status.tracer.error.code], [false, 'bpftrace_missing']);
  assert.equal(recording?.error?.code, 'bpftrace_missing');
  assert.match(String(program), /^tracepoint:lock:contention_begin$/m);
  assert.match(metrics, /^mmaplock_process_waits_total\{process="mysqld",mode="write"\} 2$/m);
  assert.deepEqual(bundle.bpftrace_stderr, []);
});

test('where not even a daemon starts the bundle is still written', async () => {
  const bundle = await bundleOf(async () => {
    throw new MmaplockError('fragment_malformed', 'waits.bt: no mode');
  });
  assert.deepEqual(
    [bundle.daemon.error?.code, bundle.daemon.error?.message],
    ['fragment_malformed', 'waits.bt: no mode'],
  );
});

test('without names: neither those of processes nor that of the host', async () => {
  const bundle = await bundleOf(async () => brokenDaemon(() => {}), true);
  assert.match(bundle.host, /^h-[0-9a-f]{8}$/);
  assert.doesNotMatch(bundle.daemon.metrics, /mysqld/);
  assert.match(
    bundle.daemon.metrics,
    /^mmaplock_process_waits_total\{process="p-[0-9a-f]{8}",mode="write"\} 2$/m,
  );
});

test('where the file cannot be, nothing is started', async () => {
  const config = loadConfig({});
  const file = path.join(directory, 'none', 'bundle.json');
  const startDaemon = async (): Promise<OwnDaemon> => assert.fail('it was started');
  await assert.rejects(
    supportBundle(config, { seconds: 1, file, anonymous: false }, new HandClock(), startDaemon),
    (error: unknown) => error instanceof MmaplockError && error.code === 'file_unwritable',
  );
  assert.deepEqual(await readdir(directory), []);
});
