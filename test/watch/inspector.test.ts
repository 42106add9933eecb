import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MmaplockError } from '../../src/errors.js';
import { type Inspected, Inspector, type InspectorOptions } from '../../src/watch/inspector.js';
import { dialectOf } from '../bpftrace/goldens.js';
import { HandClock, settled } from '../bpftrace/hand-clock.js';
import { program, ScriptedSession } from '../bpftrace/scripted.js';
import { blockRow, readerBlockRow, stall, tick, waitRow } from '../support/records.js';

const tracer = {
  bpftrace: { path: '/usr/bin/bpftrace', version: '0.17.0' },
  dialect: dialectOf('0.17.0'),
};
const startTimeoutSeconds = 20;

/** An inspector on a clock moved by hand, whose sessions do what the test says. */
const inspecting = (more: Partial<InspectorOptions> = {}) => {
  const clock = new HandClock();
  const sessions: ScriptedSession[] = [];
  let started = 0;
  const inspector = new Inspector({
    clock,
    startSession: (options) => {
      const session = new ScriptedSession(1000 + sessions.length, options);
      sessions.push(session);
      return session;
    },
    program: () => program,
    tracer: () => tracer,
    mapKeys: () => 1024,
    startTimeoutSeconds,
    onStarted: () => {
      started += 1;
    },
    ...more,
  });
  /** Begins one; what it comes to is asked for when it has ended. */
  const inspect = (seconds: number) => {
    const outcome = inspector.inspect(seconds).then(
      (inspected) => ({ inspected, error: undefined }),
      (error: unknown) => {
        assert.ok(error instanceof MmaplockError, String(error));
        return { inspected: undefined, error };
      },
    );
    return { outcome, session: sessions.at(-1)! };
  };
  /** One tick a second. */
  const tickFor = async (session: ScriptedSession, seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      await clock.pass(1);
      session.tick();
    }
  };
  return { clock, inspector, inspect, sessions, tickFor, started: () => started };
};

const hold = { file: 'smaps', count: 3, nanoseconds: 5_000_000 } as const;
const stack = { frames: ['rwsem_down_write_slowpath', 'vm_munmap'], count: 2 };

test('the first tick starts the time; when that is up bpftrace is asked to end, and its last words count', async () => {
  const { clock, inspector, inspect, tickFor, started } = inspecting();
  const { outcome, session } = inspect(5);
  assert.equal(inspector.running, true);
  await clock.pass(3);
  session.attach();
  assert.equal(started(), 0, 'attached is not there yet: up to 0.23 it is said before');
  const startedAt = clock.now();
  session.tick();
  assert.equal(started(), 1);
  await tickFor(session, 4);
  assert.deepEqual(session.asked, [], 'not before the time is up');
  await clock.pass(1);
  assert.deepEqual(session.asked, ['stop']);
  session.tick({ holds: [hold], writerStacks: [stack] });
  await session.exit(0);
  assert.deepEqual((await outcome).inspected, {
    startedAt,
    endedAt: startedAt + 5000,
    blocks: [],
    holds: [hold],
    stacks: [stack],
    complete: true,
  });
  assert.equal(started(), 1);
  assert.equal(inspector.running, false);
  assert.equal(clock.timers, 0);
});

test('bpftrace is asked again until it ends, for it may have missed the signal', async () => {
  const { clock, inspect } = inspecting();
  const { outcome, session } = inspect(1);
  session.attach();
  session.tick();
  await clock.pass(1.5);
  assert.deepEqual(session.asked, ['stop', 'stop', 'stop']);
  await session.exit(0);
  assert.ok((await outcome).inspected);
  assert.equal(clock.timers, 0);
});

test('it never looks for longer than 10 s', async () => {
  const { clock, inspect } = inspecting();
  const { outcome, session } = inspect(3600);
  session.attach();
  session.tick();
  await clock.pass(9.9);
  assert.deepEqual(session.asked, []);
  await clock.pass(0.1);
  assert.deepEqual(session.asked, ['stop']);
  await session.exit(0);
  await outcome;
});

test('one that does not get ready in time is killed', async () => {
  const { clock, inspector, inspect, started } = inspecting();
  const { outcome, session } = inspect(1);
  session.attach();
  await clock.pass(startTimeoutSeconds);
  assert.deepEqual(session.asked, ['kill']);
  await session.killed();
  const { error } = await outcome;
  assert.equal(error?.code, 'tracer_start_timeout');
  assert.match(error?.message ?? '', /20 s/);
  assert.equal(started(), 0);
  assert.equal(inspector.seconds, 0);
  assert.equal(inspector.running, false);
  assert.equal(clock.timers, 0);
});

test('a start that takes long does not count against the time to look', async () => {
  const { clock, inspect } = inspecting();
  const { outcome, session } = inspect(10);
  await clock.pass(startTimeoutSeconds - 1);
  session.attach();
  session.tick();
  await clock.pass(9);
  assert.deepEqual(session.asked, []);
  await clock.pass(1);
  await session.exit(0);
  assert.ok((await outcome).inspected);
});

test('the second at once is refused, and leaves the first alone', async () => {
  const { clock, inspect, sessions } = inspecting();
  const first = inspect(1);
  const second = inspect(1);
  assert.equal((await second.outcome).error?.code, 'inspect_running');
  assert.equal(sessions.length, 1);
  first.session.attach();
  first.session.tick();
  await clock.pass(1);
  await first.session.exit(0);
  assert.ok((await first.outcome).inspected);
  const third = inspect(1);
  assert.equal(sessions.length, 2, 'when it has ended another may begin');
  await third.session.killed();
  await third.outcome;
});

test('the seconds of all add up, those of one that failed as well', async () => {
  const { clock, inspector, inspect, tickFor } = inspecting();
  const first = inspect(3);
  await clock.pass(2);
  first.session.attach();
  first.session.tick();
  await tickFor(first.session, 3);
  await first.session.exit(0);
  await first.outcome;
  assert.equal(inspector.seconds, 3, 'from the first tick on');
  const second = inspect(10);
  second.session.attach();
  second.session.tick();
  await tickFor(second.session, 4);
  await second.session.killed();
  assert.equal((await second.outcome).error?.code, 'tracer_killed');
  assert.equal(inspector.seconds, 7);
});

test('stopped while it runs, its process is gone before stop() is done', async () => {
  const { clock, inspector, inspect } = inspecting();
  const { outcome, session } = inspect(10);
  session.attach();
  session.tick();
  let done = false;
  const stopped = inspector.stop().then(() => {
    done = true;
  });
  await settled();
  assert.deepEqual(session.asked, ['kill']);
  assert.equal(done, false);
  await session.killed();
  await stopped;
  assert.equal((await outcome).error?.code, 'tracer_killed');
  assert.equal(clock.timers, 0);
});

test('once stopped, it starts nothing any more', async () => {
  const { inspector, inspect, sessions } = inspecting();
  await inspector.stop();
  assert.equal((await inspect(1).outcome).error?.code, 'inspect_unavailable');
  assert.equal(sessions.length, 0);
});

test('where there is no bpftrace, or no program for this host, nothing is started', async () => {
  const without = inspecting({ tracer: () => undefined });
  assert.equal((await without.inspect(1).outcome).error?.code, 'inspect_unavailable');
  const error = new MmaplockError('inspect_unavailable', 'this kernel has no tracepoint');
  const refused = inspecting({
    program: () => {
      throw error;
    },
  });
  assert.equal((await refused.inspect(1).outcome).error, error);
  for (const { sessions, inspector, clock } of [without, refused])
    assert.deepEqual([sessions.length, inspector.running, clock.timers], [0, false, 0]);
});

test('a program that is refused says why', async () => {
  const { inspect } = inspecting();
  const { outcome, session } = inspect(1);
  session.say('stdin:3:5-9: ERROR: Unknown identifier');
  await session.exit(1);
  const { error } = await outcome;
  assert.equal(error?.code, 'program_rejected');
  assert.match(error?.message ?? '', /Unknown identifier/);
  assert.match(error?.fix ?? '', /dump-program --inspect/);
});

test('one that ends too early, or is killed by others, says so', async () => {
  const early = inspecting().inspect(5);
  early.session.attach();
  early.session.tick();
  early.session.say('ERROR: something');
  await early.session.exit(1);
  assert.equal((await early.outcome).error?.code, 'tracer_exited');

  const silent = inspecting().inspect(5);
  await silent.session.exit(0);
  assert.equal((await silent.outcome).error?.code, 'program_rejected', 'it never ticked');

  const killed = inspecting().inspect(5);
  await killed.session.killed();
  assert.equal((await killed.outcome).error?.code, 'tracer_killed');
});

test('a probe that does not attach ends it: a program that sees nothing looks like a quiet host', async () => {
  const fewer = inspecting().inspect(5);
  fewer.session.attach(1);
  assert.deepEqual(fewer.session.asked, ['kill']);
  await fewer.session.killed();
  assert.equal((await fewer.outcome).error?.code, 'attach_incomplete');

  const skipped = inspecting().inspect(5);
  skipped.session.attach();
  skipped.session.say('WARNING: could not attach probe tracepoint:mmap_lock:x, skipping.');
  assert.deepEqual(skipped.session.asked, ['kill']);
  await skipped.session.killed();
  assert.equal((await skipped.outcome).error?.code, 'attach_incomplete');
});

/** A tick in which writers of a process waited behind readers of smaps, cumulative as bpftrace tells it. */
const blocked = (count: number, nanoseconds: number) => {
  const unknown = nanoseconds / 10;
  return {
    waits: [waitRow('write', 'munmap', count, nanoseconds)],
    blocks: [blockRow('smaps', count, nanoseconds - unknown), blockRow(undefined, 1, unknown)],
    readerBlocks: [
      readerBlockRow(undefined, 'mysqld', undefined, 1, unknown),
      readerBlockRow('agent', 'mysqld', 'smaps', count, nanoseconds - unknown),
    ],
  };
};

test('blocks are those of this tracer alone, each counted once, most time first', async () => {
  const { clock, inspect } = inspecting();
  const look = async (count: number): Promise<Inspected> => {
    const { outcome, session } = inspect(2);
    session.attach();
    session.tick(blocked(1, 1_000_000));
    session.record(stall(clock.now(), 90_000_000));
    await clock.pass(1);
    session.tick(blocked(count, count * 1_000_000));
    await clock.pass(1);
    session.tick(blocked(count, count * 1_000_000));
    await session.exit(0);
    const { inspected } = await outcome;
    assert.ok(inspected);
    return inspected;
  };
  const rows = ({ blocks }: Inspected) =>
    blocks.map(({ reader, file, victim, count, nanoseconds }) => [
      reader?.name,
      file,
      victim.name,
      count,
      nanoseconds,
    ]);
  assert.deepEqual(rows(await look(5)), [
    ['agent', 'smaps', 'mysqld', 5, 4_500_000],
    [undefined, '~unknown', 'mysqld', 1, 500_000],
  ]);
  assert.deepEqual(rows(await look(3)), [
    ['agent', 'smaps', 'mysqld', 3, 2_700_000],
    [undefined, '~unknown', 'mysqld', 1, 300_000],
  ]);
});

for (const [what, record] of [
  ['bpftrace lost events', { kind: 'events_lost', at: 1, events: 7 }],
  ['a map was full', { kind: 'map_overflow', at: 1, map: 'holds', updates: 1 }],
  ['its last words were damaged', tick(Date.UTC(2025, 5, 1) + 2000, { complete: false, holds: [] })],
] as const)
  test(`it says so when ${what}`, async () => {
    const { inspect } = inspecting();
    const { outcome, session } = inspect(1);
    session.attach();
    session.tick({ holds: [hold] });
    session.record(record);
    await session.exit(0);
    const { inspected } = await outcome;
    assert.equal(inspected?.complete, false);
    assert.deepEqual(inspected?.holds, [hold], 'what was told in full stays');
  });

test('a line that is damaged does no harm where the next tick has it all again', async () => {
  const { inspect } = inspecting();
  const { outcome, session } = inspect(1);
  session.attach();
  session.tick({ complete: false });
  session.record({ kind: 'undecodable', at: 1, reason: 'a line was cut off' });
  session.tick({ holds: [hold] });
  await session.exit(0);
  const { inspected } = await outcome;
  assert.deepEqual([inspected?.complete, inspected?.holds], [true, [hold]]);
});
