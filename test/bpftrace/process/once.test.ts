import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type OnceOptions, runOnce } from '../../../src/bpftrace/process/once.js';
import { MmaplockError } from '../../../src/errors.js';
import { tick } from '../../support/records.js';
import { dialectOf } from '../goldens.js';
import { HandClock, settled } from '../hand-clock.js';
import { program, ScriptedSession } from '../scripted.js';

/** A program that runs once, on a clock moved by hand. */
const once = (more: Partial<OnceOptions> = {}) => {
  const clock = new HandClock();
  const sessions: ScriptedSession[] = [];
  let acts = 0;
  const run = runOnce({
    clock,
    path: '/usr/bin/bpftrace',
    dialect: dialectOf('0.17.0'),
    program,
    startSession: (options) => {
      const session = new ScriptedSession(1000, options);
      sessions.push(session);
      return session;
    },
    timeoutSeconds: 10,
    act: () => {
      acts += 1;
    },
    ...more,
  });
  const outcome = run.counted.then(
    (counted) => ({ counted, code: undefined }),
    (error: unknown) => {
      assert.ok(error instanceof MmaplockError);
      return { counted: undefined, code: error.code };
    },
  );
  return { clock, session: sessions[0]!, run, outcome, acts: () => acts };
};

const row = { descriptor: 21, takes: 3, fills: 3 } as const;

test('it acts once the probes are there, and gets what was counted when bpftrace ends', async () => {
  const { clock, session, outcome, acts } = once();
  session.attach();
  assert.equal(acts(), 0, 'attached is not there yet: up to 0.23 it is said before');
  session.tick();
  assert.equal(acts(), 1);
  assert.deepEqual(session.asked, ['stop']);
  session.tick({ lockTakes: [{ ...row, takes: 1 }] });
  session.tick({ lockTakes: [row] });
  await session.exit(0);
  assert.equal(acts(), 1);
  assert.deepEqual(await outcome, {
    counted: tick(clock.now(), { lockTakes: [row] }),
    code: undefined,
  });
  assert.equal(clock.timers, 0);
});

test('nothing counted is no error', async () => {
  const { session, outcome } = once();
  session.attach();
  session.tick();
  await session.exit(0);
  assert.deepEqual(await outcome, { counted: undefined, code: undefined });
});

test('it asks again until bpftrace ends, which may have missed the signal', async () => {
  const { clock, session, outcome } = once();
  session.attach();
  session.tick();
  await clock.pass(0.5);
  assert.deepEqual(session.asked, ['stop', 'stop', 'stop']);
  await session.exit(0);
  await outcome;
  assert.equal(clock.timers, 0);
});

test('it takes a limited time, from start to end', async () => {
  const silent = once();
  await silent.clock.pass(10);
  assert.deepEqual(silent.session.asked, ['kill']);
  await silent.session.killed();
  assert.equal((await silent.outcome).code, 'tracer_start_timeout');

  const stubborn = once();
  stubborn.session.attach();
  stubborn.session.tick();
  await stubborn.clock.pass(10);
  assert.equal(stubborn.session.asked.at(-1), 'kill');
  await stubborn.session.killed();
  assert.equal((await stubborn.outcome).code, 'tracer_start_timeout');
  assert.equal(stubborn.clock.timers, 0);
});

test('a probe that does not attach ends it before it acts', async () => {
  const fewer = once();
  fewer.session.attach(1);
  fewer.session.tick();
  await fewer.session.killed();
  assert.equal((await fewer.outcome).code, 'attach_incomplete');
  assert.equal(fewer.acts(), 0);

  const skipped = once();
  skipped.session.attach();
  skipped.session.say('WARNING: could not attach probe kprobe:down_read, skipping.');
  skipped.session.tick();
  await skipped.session.killed();
  assert.equal((await skipped.outcome).code, 'attach_incomplete');
  assert.equal(skipped.acts(), 0);
});

test('a program that is refused, ends too early or is killed says so', async () => {
  const refused = once();
  refused.session.say('stdin:3:5-9: ERROR: Unknown identifier');
  await refused.session.exit(1);
  assert.equal((await refused.outcome).code, 'program_rejected');

  const over = once();
  over.session.attach();
  over.session.tick();
  over.session.say('ERROR: something');
  await over.session.exit(1);
  assert.equal((await over.outcome).code, 'tracer_exited');

  const killed = once();
  await killed.session.killed();
  assert.equal((await killed.outcome).code, 'tracer_killed');
});

test('what was counted is not relied on where a line of it is lost', async () => {
  const { session, outcome } = once();
  session.attach();
  session.tick();
  session.record({ kind: 'undecodable', at: 1, reason: 'a line was cut off' });
  session.tick({ lockTakes: [row] });
  await session.exit(0);
  assert.equal((await outcome).code, 'program_rejected');
});

test('given up, it is gone at once, and does not act any more', async () => {
  const { clock, run, session, outcome, acts } = once();
  run.stop();
  assert.deepEqual(session.asked, ['kill']);
  session.attach();
  session.tick();
  await session.killed();
  assert.equal((await outcome).code, 'tracer_killed');
  assert.equal(acts(), 0);
  await settled();
  assert.equal(clock.timers, 0);
});
