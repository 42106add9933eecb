import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MmaplockError } from '../../src/errors.js';
import { createLog } from '../../src/log/log.js';
import { createManager } from '../../src/systemd/manager.js';
import type { Readiness } from '../../src/watch/readiness.js';
import { HandClock, settled } from '../bpftrace/hand-clock.js';

const starting: Readiness = {
  ready: false,
  problems: [{ code: 'starting', message: 'the tracer is starting', fix: 'Wait some seconds.' }],
};
const observing: Readiness = { ready: true, problems: [] };

const managed = (watchdogMilliseconds: number | undefined) => {
  const clock = new HandClock();
  const messages: { readonly at: number; readonly said: readonly string[] }[] = [];
  const logged: string[] = [];
  const stage = { deaf: false, readiness: starting };
  const began = clock.monotonic();
  const manager = createManager({
    watchdogMilliseconds,
    clock,
    log: createLog({ level: 'info', format: 'json', stream: { write: (line) => logged.push(line) } }),
    send: async (said) => {
      if (stage.deaf) throw new MmaplockError('notify_failed', 'systemd-notify: no answer in 8 s');
      messages.push({ at: (clock.monotonic() - began) / 1000, said });
    },
  });
  return { clock, messages, logged, stage, manager, readiness: () => stage.readiness };
};

test('ready is said at once, even of a host that cannot be observed; the status follows', async () => {
  const { clock, messages, stage, manager, readiness } = managed(120_000);
  manager.ready(readiness);
  stage.readiness = observing;
  await clock.pass(46);
  assert.deepEqual(messages, [
    { at: 0, said: ['READY=1', 'WATCHDOG=1', 'STATUS=Not observing: the tracer is starting'] },
    { at: 5, said: ['WATCHDOG=1', 'STATUS=Observing.'] },
    { at: 45, said: ['WATCHDOG=1'] },
  ]);
});

test('the watchdog hears of us three times in its time, whatever that is', async () => {
  const { clock, messages, manager, readiness } = managed(6000);
  manager.ready(readiness);
  await clock.pass(60);
  const times = messages.filter(({ said }) => said.includes('WATCHDOG=1')).map(({ at }) => at);
  assert.deepEqual(times.slice(0, 4), [0, 2, 4, 6]);
  assert.equal(times.length, 31);
});

test('without a watchdog only a change is said', async () => {
  const { clock, messages, stage, manager, readiness } = managed(undefined);
  manager.ready(readiness);
  await clock.pass(600);
  stage.readiness = observing;
  await clock.pass(600);
  assert.deepEqual(
    messages.map(({ said }) => said),
    [['READY=1', 'STATUS=Not observing: the tracer is starting'], ['STATUS=Observing.']],
  );
});

test('an event loop that stands still says nothing', async () => {
  const { clock, messages, manager, readiness } = managed(120_000);
  manager.ready(readiness);
  await clock.pass(5);
  const before = messages.length;
  await clock.standStill(1000);
  assert.equal(messages.length, before + 1);
});

test('what could not be said is said again soon, ready included, and logged once', async () => {
  const { clock, messages, logged, stage, manager, readiness } = managed(120_000);
  stage.deaf = true;
  manager.ready(readiness);
  await clock.pass(25);
  assert.deepEqual(messages, []);
  stage.deaf = false;
  await clock.pass(5);
  assert.deepEqual(messages[0], {
    at: 30,
    said: ['READY=1', 'WATCHDOG=1', 'STATUS=Not observing: the tracer is starting'],
  });
  assert.equal(logged.length, 1);
  assert.match(logged[0]!, /systemd-notify: no answer in 8 s.*"code":"notify_failed"/);
});

test('from the end on only the end is said', async () => {
  const { clock, messages, manager, readiness } = managed(120_000);
  manager.ready(readiness);
  await settled();
  await manager.stopping();
  await clock.pass(600);
  assert.deepEqual(messages.at(-1), { at: 0, said: ['STOPPING=1', 'STATUS=Ending.'] });
  assert.equal(messages.length, 2);
  assert.equal(clock.timers, 0);
});

test('an end that cannot be said ends all the same', async () => {
  const { clock, messages, stage, manager, readiness } = managed(120_000);
  stage.deaf = true;
  manager.ready(readiness);
  await manager.stopping();
  await clock.pass(600);
  assert.deepEqual(messages, []);
  assert.equal(clock.timers, 0);
});
