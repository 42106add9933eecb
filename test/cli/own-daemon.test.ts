import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TracerState } from '../../src/bpftrace/process/tracer.js';
import { observing, pause } from '../../src/cli/own-daemon.js';
import { MmaplockError } from '../../src/errors.js';
import { dialectOf } from '../bpftrace/goldens.js';
import { HandClock } from '../bpftrace/hand-clock.js';
import { epoch, FakeDaemon, failedTracer, planOf } from '../support/daemon.js';
import { quietDaemon, silentDaemon } from '../support/scenes.js';

const waiting = (daemon: FakeDaemon) => {
  const clock = new HandClock();
  const ending = new AbortController();
  let settled = false;
  const observed = observing(daemon.view, { timeoutSeconds: 5, clock, ending: ending.signal }).finally(() => {
    settled = true;
  });
  observed.catch(() => {});
  return { clock, ending, observed, isSettled: () => settled };
};

const codeOf = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(
    () => assert.fail('it resolved'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof MmaplockError, String(error));
  assert.ok(error.message !== '' && error.fix !== '');
  return error.code;
};

test('it goes on as soon as waits are observed', async () => {
  const daemon = silentDaemon();
  const { clock, observed, isSettled } = waiting(daemon);
  await clock.pass(1);
  assert.equal(isSettled(), false);
  const { tracer } = quietDaemon();
  daemon.tracer = tracer;
  daemon.ledger.tracer.started(daemon.now);
  daemon.ledger.tracer.ticked(daemon.now);
  await clock.pass(1);
  await observed;
  assert.equal(clock.timers, 0);
});

test('what no waiting mends is told at once, by its own code', async () => {
  assert.equal(
    await codeOf(waiting(new FakeDaemon({ tracer: failedTracer() })).observed),
    'bpftrace_missing',
  );
  assert.equal(await codeOf(waiting(silentDaemon({ plan: planOf([]) })).observed), 'nothing_observable');
  const { observables, ...plan } = planOf([]);
  const reason = { code: 'switched_off', detail: 'it was' } as const;
  const off = { ...plan, observables: { ...observables, waits: { observed: false, reason } } };
  assert.equal(await codeOf(waiting(silentDaemon({ plan: off })).observed), 'probes_switched_off');
});

test('what may pass is waited for, and told by its own code in the end', async () => {
  const error = new MmaplockError('attach_incomplete', '9 of 10 probes attached');
  const { clock, observed, isSettled } = waiting(
    new FakeDaemon({ tracer: { phase: 'waiting', since: epoch, error } }),
  );
  await clock.pass(4.9);
  assert.equal(isSettled(), false);
  await clock.pass(0.5);
  assert.equal(await codeOf(observed), 'attach_incomplete');
});

test('a tracer that is still starting has come too late', async () => {
  const { clock, observed } = waiting(silentDaemon());
  await clock.pass(6);
  assert.equal(await codeOf(observed), 'tracer_start_timeout');
});

test('where the smallest program takes 3 s to start, it is waited for three times as long', async () => {
  const dialect = { ...dialectOf('0.17.0'), startMilliseconds: 3000 };
  const tracer: TracerState = { phase: 'starting', since: epoch, dialect };
  const { clock, observed, isSettled } = waiting(new FakeDaemon({ tracer }));
  await clock.pass(14);
  assert.equal(isSettled(), false);
  await clock.pass(2);
  assert.equal(await codeOf(observed), 'tracer_start_timeout');
});

test('it ends at once when it is to end, and leaves no timer', async () => {
  const { clock, ending, observed } = waiting(silentDaemon());
  await clock.pass(0.1);
  ending.abort();
  await observed;
  assert.equal(clock.timers, 0);
  await pause(clock, 1000, ending.signal);
  assert.equal(clock.timers, 0, 'after that nothing is waited for');
});
