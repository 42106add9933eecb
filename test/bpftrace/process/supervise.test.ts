import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MmaplockError } from '../../../src/errors.js';
import { joinProgram } from '../../../src/probes/program.js';
import { fragmentOf } from '../../probes/fake.js';
import { settled } from '../hand-clock.js';
import { program, stallRestartSeconds, startTimeoutSeconds, supervised, typesFile } from '../scripted.js';

test('a tracer that attaches and ticks is observing', async () => {
  const { clock, supervisor, states, records, newest } = supervised();
  assert.equal(supervisor.state.phase, 'stopped');
  supervisor.start();
  await settled();
  assert.deepEqual(supervisor.state, { ...supervisor.state, phase: 'starting', pid: 1000 });
  assert.equal(newest().options.mapKeys, 1024);
  assert.equal(newest().options.program, program);

  await clock.pass(1);
  newest().attach();
  assert.equal(supervisor.state.phase, 'starting', 'attached, but has not ticked yet');
  newest().tick();
  const { phase, pid, bpftrace, dialect, error, since } = supervisor.state;
  assert.deepEqual(
    { phase, pid, error, since },
    { phase: 'observing', pid: 1000, error: undefined, since: clock.now() },
  );
  assert.equal(bpftrace?.version, '0.17.0');
  assert.equal(dialect?.version, '0.17.0');
  assert.deepEqual(
    states.map(({ phase }) => phase),
    ['starting', 'starting', 'observing'],
  );
  assert.deepEqual(
    records.map(({ kind }) => kind),
    ['tracer_started', 'tick'],
  );
});

test('tracer_started comes once in each session, before its first tick', async () => {
  const { clock, records, observing, newest, tickFor } = supervised();
  const first = await observing();
  await tickFor(3);
  await first.killed();
  await clock.pass(1);
  newest().attach();
  newest().tick();
  newest().tick();
  assert.deepEqual(
    records.map(({ kind }) => kind),
    ['tracer_started', 'tick', 'tick', 'tick', 'tick', 'tracer_stopped', 'tracer_started', 'tick', 'tick'],
  );
});

test('a tick before the probes are told is not believed, what was lost is', async () => {
  const { supervisor, records, newest } = supervised();
  supervisor.start();
  await settled();
  newest().tick();
  newest().record({ kind: 'events_lost', at: 1, events: 3 });
  assert.deepEqual(
    records.map(({ kind }) => kind),
    ['events_lost'],
  );
});

test('fewer probes than planned: it is killed, and none of its ticks counts', async () => {
  const { supervisor, records, newest, stops } = supervised();
  supervisor.start();
  await settled();
  newest().attach(1);
  newest().tick();
  assert.deepEqual(newest().asked, ['kill']);
  await newest().killed();
  assert.deepEqual(
    records.map(({ kind }) => kind),
    ['tracer_stopped'],
  );
  assert.equal(stops()[0]?.reason, 'attach');
  assert.equal(stops()[0]?.handedOver, false);
  assert.equal(supervisor.state.phase, 'waiting');
  assert.equal(supervisor.state.error?.code, 'attach_incomplete');
  assert.equal(supervisor.state.error?.message, '1 of 3 probes attached');
});

test('a probe that bpftrace skipped takes its fragment out, whatever number it tells', async () => {
  const { supervisor, rejected, newest, stops } = supervised();
  supervisor.start();
  await settled();
  newest().attach();
  newest().say('WARNING: could not attach probe kprobe:down_read, skipping.');
  assert.deepEqual(rejected, [['waits', 'WARNING: could not attach probe kprobe:down_read, skipping.']]);
  assert.deepEqual(newest().asked, ['kill']);
  await newest().killed();
  assert.equal(stops()[0]?.reason, 'attach');
  assert.equal(supervisor.state.error?.code, 'attach_incomplete');
});

test('what bpftrace says of probes once it observes does not end it', async () => {
  const { observing, rejected } = supervised();
  const session = await observing();
  session.say('WARNING: could not attach probe kprobe:down_read, skipping.');
  assert.deepEqual(session.asked, []);
  assert.deepEqual(rejected, []);
});

test('a program that is refused is told by fragment and line of its file', async () => {
  const { supervisor, rejected, newest, stops } = supervised();
  supervisor.start();
  await settled();
  const line = program.text.split('\n').findIndex((text) => text.includes('@waits = count()')) + 1;
  newest().say(`stdin:${line}:3-9: ERROR: Undefined map: @waits`);
  newest().say('  @waits = count();');
  await newest().exit(1);
  const message = `waits.bt:9: stdin:${line}:3-9: ERROR: Undefined map: @waits`;
  assert.deepEqual(rejected, [['waits', message]]);
  assert.equal(stops()[0]?.reason, 'rejected');
  assert.equal(supervisor.state.error?.code, 'fragment_rejected');
  assert.equal(supervisor.state.error?.message, message);
});

test('a refusal that names no line but a probe is told by that probe', async () => {
  const { supervisor, rejected, newest } = supervised();
  supervisor.start();
  await settled();
  newest().say('ERROR: Error loading program: kprobe:down_read (try -v)');
  await newest().exit(1);
  assert.equal(rejected[0]?.[0], 'waits');
  assert.match(supervisor.state.error?.message ?? '', /^waits\.bt:7: ERROR: Error loading program/);
});

test('what was given up is tried without at once; refused again all the same, it waits', async () => {
  const { clock, supervisor, newest, sessions } = supervised();
  supervisor.start();
  await settled();
  const refuse = async (): Promise<number> => {
    newest().say('ERROR: Error loading program: kprobe:down_read (try -v)');
    await newest().exit(1);
    const wait = (supervisor.state.nextTryAt ?? 0) - clock.now();
    await clock.pass(wait / 1000);
    return wait;
  };
  assert.deepEqual([await refuse(), await refuse(), await refuse(), await refuse()], [100, 100, 200, 400]);
  assert.equal(sessions.length, 5);
});

test('fewer probes than planned, and again: the kind of probe that asks most is given up', async () => {
  const { clock, supervisor, rejected, newest } = supervised();
  supervisor.start();
  await settled();
  const lose = async (): Promise<void> => {
    newest().attach(1);
    await newest().killed();
    await clock.pass(1);
  };
  await lose();
  assert.deepEqual(rejected, [], 'once may be chance');
  await lose();
  assert.deepEqual(rejected, [['waits', '1 of 3 probes attached']]);
});

test('a refusal that names nothing keeps the code of what was said', async () => {
  const { supervisor, rejected, newest, stops } = supervised();
  supervisor.start();
  await settled();
  newest().say('ERROR: bpftrace currently only supports running as the root user.');
  await newest().exit(1);
  assert.deepEqual(rejected, []);
  assert.equal(stops()[0]?.reason, 'rejected');
  assert.equal(supervisor.state.error?.code, 'not_root');
});

test('a tracer that does not get ready is killed when its time is over, not before', async () => {
  const { clock, supervisor, newest, stops } = supervised();
  supervisor.start();
  await clock.pass(startTimeoutSeconds);
  assert.deepEqual(newest().asked, []);
  await clock.pass(1);
  assert.deepEqual(newest().asked, ['kill']);
  await newest().killed();
  assert.equal(stops()[0]?.reason, 'timeout');
  assert.equal(supervisor.state.error?.code, 'tracer_start_timeout');
});

test('on a host where the smallest program takes 3 s to start, a tracer has three times as long', async () => {
  const { clock, supervisor, newest } = supervised({ startMilliseconds: 3000 });
  supervisor.start();
  await clock.pass(3 * startTimeoutSeconds);
  assert.deepEqual(newest().asked, []);
  await clock.pass(1);
  assert.deepEqual(newest().asked, ['kill']);
});

test('one that was late has twice as long the next time, until one is ready', async () => {
  const { clock, supervisor, newest, sessions } = supervised();
  supervisor.start();
  const killed = async (): Promise<void> => {
    const { length } = sessions;
    await newest().killed();
    while (sessions.length === length) await clock.pass(0.1);
  };
  const late = async (seconds: number): Promise<void> => {
    await clock.pass(seconds);
    assert.deepEqual(newest().asked, []);
    await clock.pass(1);
    assert.deepEqual(newest().asked, ['kill']);
    await killed();
  };
  await late(startTimeoutSeconds);
  await late(2 * startTimeoutSeconds);
  newest().attach();
  newest().tick();
  await killed();
  await late(startTimeoutSeconds);
});

test('a tracer that stops ticking is killed when it has been silent for long', async () => {
  const { clock, supervisor, observing, newest, stops, tickFor } = supervised();
  await observing();
  await tickFor(5);
  await clock.pass(stallRestartSeconds);
  assert.deepEqual(newest().asked, []);
  await clock.pass(1);
  assert.deepEqual(newest().asked, ['kill']);
  await newest().killed();
  assert.deepEqual([stops()[0]?.reason, stops()[0]?.handedOver], ['stalled', false]);
  assert.equal(supervisor.state.error?.code, 'ticks_stalled');
});

test('a daemon that itself stood still blames no tracer for it', async () => {
  const { clock, supervisor, observing, tickFor } = supervised();
  const session = await observing();
  await tickFor(5);
  await clock.standStill(stallRestartSeconds * 3);
  assert.deepEqual(session.asked, [], 'the ticks of that time are still in the pipe');
  session.tick();
  await tickFor(2);
  assert.equal(supervisor.state.phase, 'observing');
  await clock.pass(stallRestartSeconds + 1);
  assert.deepEqual(session.asked, ['kill'], 'silence while it ran is one');
});

test('a correction of the time of day ends no healthy tracer', async () => {
  const { clock, supervisor, observing } = supervised();
  const session = await observing();
  clock.correct(3600);
  await clock.pass(2);
  clock.correct(-7200);
  await clock.pass(2);
  assert.deepEqual(session.asked, []);
  assert.equal(supervisor.state.phase, 'observing');
});

test('a planned restart asks again until the tracer ends: 0.17 forgets a signal', async () => {
  const { clock, supervisor, observing } = supervised();
  const session = await observing();
  supervisor.restart('map_full');
  await clock.pass(2);
  assert.deepEqual(session.asked, ['stop', 'stop', 'stop']);
});

test('a tracer that something killed, or that ended by itself, is told apart', async () => {
  const { clock, supervisor, observing, newest, stops } = supervised();
  await (await observing()).exit(undefined, 'SIGKILL');
  assert.equal(supervisor.state.error?.code, 'tracer_killed');
  await clock.pass(1);
  newest().attach();
  newest().tick();
  newest().say('FATAL: out of ideas');
  await newest().exit(3);
  assert.equal(supervisor.state.error?.code, 'tracer_exited');
  assert.match(supervisor.state.error?.message ?? '', /ended with 3: FATAL: out of ideas/);
  assert.deepEqual(
    stops().map(({ reason, handedOver }) => [reason, handedOver]),
    [
      ['killed', false],
      ['exited', false],
    ],
  );
});

test('one that ended in order has handed over what it saw', async () => {
  const { observing, stops } = supervised();
  await (await observing()).exit(0);
  assert.deepEqual([stops()[0]?.reason, stops()[0]?.handedOver], ['exited', true]);
});

test('one that ended in order before it observed has handed over nothing', async () => {
  const { supervisor, newest, stops } = supervised();
  supervisor.start();
  await settled();
  newest().attach();
  await newest().exit(0);
  assert.equal(stops()[0]?.handedOver, false);
  assert.equal(supervisor.state.phase, 'waiting');
});

test('the error stays known while it is started again, and goes when it observes', async () => {
  const { clock, supervisor, observing, newest } = supervised();
  await (await observing()).killed();
  assert.equal(supervisor.state.nextTryAt, clock.now() + 100);
  await clock.pass(0.1);
  assert.equal(supervisor.state.phase, 'starting');
  assert.equal(supervisor.state.error?.code, 'tracer_killed');
  newest().attach();
  newest().tick();
  assert.equal(supervisor.state.phase, 'observing');
  assert.equal(supervisor.state.error, undefined);
});

test('it waits longer each time it fails, 30 s at most, and anew once it has worked', async () => {
  const { clock, supervisor, sessions, newest, tickFor } = supervised();
  supervisor.start();
  await settled();
  const waits: number[] = [];
  const failOnce = async (): Promise<void> => {
    await newest().exit(1);
    const wait = (supervisor.state.nextTryAt ?? 0) - clock.now();
    waits.push(wait);
    const before = sessions.length;
    await clock.pass((wait - 1) / 1000);
    assert.equal(sessions.length, before, 'it was started too early');
    await clock.pass(0.001);
    assert.equal(sessions.length, before + 1, 'it was not started in time');
  };
  // At the second something is given up, and what is left is tried at once.
  for (let failure = 0; failure < 12; failure += 1) await failOnce();
  assert.deepEqual(waits, [100, 100, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000]);

  // To tick for a moment is not yet to work: a program that kills its tracer must not be started in a loop.
  newest().attach();
  newest().tick();
  await failOnce();
  assert.equal(waits.at(-1), 30_000);

  newest().attach();
  await tickFor(3);
  await failOnce();
  await failOnce();
  assert.deepEqual(waits.slice(-2), [100, 100]);
});

test('a planned restart asks for an orderly end, hands over and starts again soon', async () => {
  const { clock, supervisor, observing, sessions, stops, newest } = supervised();
  const first = await observing();
  supervisor.restart('replan');
  supervisor.restart('map_full');
  assert.deepEqual(first.asked, ['stop'], 'it is asked once');
  first.tick();
  await first.exit(0);
  assert.deepEqual(stops(), [
    {
      kind: 'tracer_stopped',
      at: clock.now(),
      reason: 'replan',
      handedOver: true,
      seenUntil: clock.now(),
    },
  ]);
  assert.equal(supervisor.state.error, undefined);
  await clock.pass(0.25);
  assert.equal(sessions.length, 2);
  newest().attach();
  newest().tick();
  assert.equal(supervisor.state.phase, 'observing');
  // The plan was for the first session only.
  await newest().killed();
  assert.equal(stops()[1]?.reason, 'killed');
});

test('a tracer that did not hear is asked again each second, whatever it is to end for', async () => {
  const { clock, supervisor, observing, newest } = supervised();
  const first = await observing();
  await clock.pass(3);
  assert.deepEqual(first.asked, [], 'nobody wants it to end');
  supervisor.restart('replan');
  await clock.pass(2);
  assert.deepEqual(first.asked, ['stop', 'stop', 'stop']);
  await first.exit(0);
  await clock.pass(1);
  newest().attach();
  newest().tick();
  const stopping = supervisor.stop();
  await clock.pass(1);
  assert.deepEqual(newest().asked, ['stop', 'stop']);
  await newest().exit(0);
  await stopping;
});

test('one that takes long to end is not taken for one that stands still', async () => {
  const { clock, supervisor, observing, stops } = supervised();
  const session = await observing();
  supervisor.restart('map_full');
  await clock.pass(stallRestartSeconds + 5);
  assert.ok(!session.asked.includes('kill'), session.asked.join());
  await session.exit(0);
  assert.deepEqual([stops()[0]?.reason, stops()[0]?.handedOver], ['map_full', true]);
});

test('a planned restart tells until when its tracer saw', async () => {
  const { clock, supervisor, observing, stops } = supervised();
  const session = await observing();
  const asked = clock.now();
  supervisor.restart('map_full');
  await clock.pass(8);
  await session.exit(0, undefined, asked);
  assert.deepEqual([stops()[0]?.at, stops()[0]?.seenUntil], [asked + 8000, asked]);
});

test('a planned restart that had to be forced has handed over nothing', async () => {
  const { supervisor, observing, stops } = supervised();
  const session = await observing();
  supervisor.restart('map_full');
  await session.killed();
  assert.deepEqual([stops()[0]?.reason, stops()[0]?.handedOver], ['map_full', false]);
});

test('a restart while it waits does not wait any longer', async () => {
  const { supervisor, newest, sessions } = supervised();
  supervisor.start();
  await settled();
  await newest().exit(1);
  assert.equal(supervisor.state.phase, 'waiting');
  supervisor.restart('replan');
  await settled();
  assert.equal(sessions.length, 2);
});

test('what keeps bpftrace from being found, or a program from being made, is told and tried again', async () => {
  const missing = new MmaplockError('bpftrace_missing', 'no bpftrace in /usr/bin');
  const { clock, stage, supervisor, sessions, newest, stops } = supervised({
    find: () => Promise.reject(missing),
  });
  const working = supervised().stage;
  supervisor.start();
  await settled();
  assert.equal(supervisor.state.phase, 'waiting');
  assert.equal(supervisor.state.error, missing);

  stage.find = working.find;
  stage.program = async () => undefined;
  await clock.pass(0.1);
  assert.equal(supervisor.state.error?.code, 'nothing_observable');

  stage.program = () => Promise.reject(new Error('the fragments are gone'));
  await clock.pass(0.2);
  assert.equal(supervisor.state.phase, 'waiting');
  assert.equal(supervisor.state.error?.code, 'internal_error');
  assert.match(supervisor.state.error?.message ?? '', /the fragments are gone/);

  stage.program = working.program;
  await clock.pass(0.4);
  newest().attach();
  newest().tick();
  assert.equal(supervisor.state.phase, 'observing');
  assert.equal(sessions.length, 1);
  assert.deepEqual(
    stops().map(({ reason }) => reason),
    ['missing', 'missing', 'missing'],
  );
});

test('the program is asked for at each start', async () => {
  let asked = 0;
  const { clock, observing } = supervised({
    program: async () => {
      asked += 1;
      return program;
    },
  });
  await (await observing()).killed();
  await clock.pass(1);
  assert.equal(asked, 2);
});

test('stop while it observes: an orderly end is awaited', async () => {
  const { clock, supervisor, observing, stops } = supervised();
  const session = await observing();
  let stopped = false;
  const stopping = supervisor.stop().then(() => {
    stopped = true;
  });
  await settled();
  assert.deepEqual(session.asked, ['stop']);
  assert.equal(stopped, false, 'a process of it is still there');
  await session.exit(0);
  await stopping;
  assert.deepEqual([stops().length, stops()[0]?.handedOver], [1, true]);
  assert.equal(supervisor.state.phase, 'stopped');
  assert.equal(clock.timers, 0);
});

test('stop while it starts: the session is ended', async () => {
  const { clock, supervisor, newest, rejected } = supervised();
  supervisor.start();
  await settled();
  const stopping = supervisor.stop();
  assert.deepEqual(newest().asked, ['stop']);
  await newest().exit(undefined, 'SIGINT');
  await stopping;
  assert.equal(supervisor.state.phase, 'stopped');
  assert.deepEqual(rejected, []);
  assert.equal(clock.timers, 0);
});

test('stop while it looks for bpftrace: no session is started', async () => {
  const { promise, resolve } = deferred<{ path: string; version: string }>();
  const { clock, supervisor, sessions } = supervised({ find: () => promise });
  supervisor.start();
  await settled();
  const stopping = supervisor.stop();
  resolve({ path: '/usr/bin/bpftrace', version: '0.17.0' });
  await stopping;
  assert.equal(sessions.length, 0);
  assert.equal(supervisor.state.phase, 'stopped');
  assert.equal(clock.timers, 0);
});

test('stop while it waits: at once', async () => {
  const { clock, supervisor, newest, sessions } = supervised();
  supervisor.start();
  await settled();
  await newest().exit(1);
  assert.equal(supervisor.state.phase, 'waiting');
  await supervisor.stop();
  assert.equal(supervisor.state.phase, 'stopped');
  assert.equal(sessions.length, 1);
  assert.equal(clock.timers, 0);
});

test('stop while a planned restart is under way: it does not start again', async () => {
  const { supervisor, observing, sessions, clock } = supervised();
  const session = await observing();
  supervisor.restart('replan');
  const stopping = supervisor.stop();
  await session.exit(0);
  await stopping;
  assert.equal(sessions.length, 1);
  assert.equal(supervisor.state.phase, 'stopped');
  assert.equal(clock.timers, 0);
});

test('stopped for a reason, the gap is counted by it; started again, it observes', async () => {
  const { clock, supervisor, observing, stops, newest, sessions } = supervised();
  const session = await observing();
  const stopping = supervisor.stop('budget');
  await session.exit(0);
  await stopping;
  assert.deepEqual(
    stops().map(({ reason }) => reason),
    ['budget'],
  );
  await clock.pass(600);
  assert.equal(sessions.length, 1);
  supervisor.start();
  await settled();
  newest().attach();
  newest().tick();
  assert.equal(supervisor.state.phase, 'observing');
  assert.equal(sessions.length, 2);
});

test('stop of what was never started, and stop twice', async () => {
  const { supervisor } = supervised();
  await supervisor.stop();
  await supervisor.stop();
  assert.equal(supervisor.state.phase, 'stopped');
});

const deferred = <T>() => {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
};

test('a program of tracepoints starts with plain C types, and with all types once bpftrace wanted more', async () => {
  const body = 'tracepoint:lock:contention_end\n{\n  @waits = count();\n}\n';
  const plain = joinProgram([{ fragment: fragmentOf('waits', { body }), constants: new Map() }]);
  const { clock, supervisor, newest, rejected, stops } = supervised({ program: async () => plain });
  supervisor.start();
  await settled();
  assert.equal(newest().options.typesFile, typesFile);
  await newest().killed();
  await clock.pass(1);
  assert.equal(newest().options.typesFile, typesFile, 'that somebody killed it says nothing of types');

  newest().say('stdin:3:3-9: ERROR: Cannot resolve unknown type "struct x"');
  await newest().exit(1);
  await clock.pass(1);
  assert.equal(newest().options.typesFile, undefined);
  assert.equal(rejected.length, 0, 'no fragment is given up for it');
  assert.equal(supervisor.state.phase, 'starting');
  newest().say('stdin:3:3-9: ERROR: Undefined map: @waits');
  await newest().exit(1);
  assert.deepEqual(
    rejected.map(([fragment]) => fragment),
    ['waits'],
    'now it is',
  );
  assert.deepEqual(
    stops().map(({ reason }) => reason),
    ['killed', 'rejected', 'rejected'],
  );
});

test('a program with fentry starts with the types of the kernel, one with kprobes does not', async () => {
  const { supervisor, newest } = supervised();
  supervisor.start();
  await settled();
  assert.equal(newest().options.typesFile, undefined);
  const body = 'kprobe:down_read\n{\n  @waits = count();\n}\n';
  const kprobes = joinProgram([{ fragment: fragmentOf('waits', { body }), constants: new Map() }]);
  const other = supervised({ program: async () => kprobes });
  other.supervisor.start();
  await settled();
  assert.equal(other.newest().options.typesFile, typesFile);
});
