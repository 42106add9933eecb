/** One bpftrace process, with the bpftrace of this host. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { before, describe, type TestContext, test } from 'node:test';
import type { Dialect } from '../../src/bpftrace/decode/dialect.js';
import { runCanary } from '../../src/bpftrace/dialect.js';
import { type FoundBpftrace, findBpftrace } from '../../src/bpftrace/find.js';
import {
  type Session,
  type SessionEnd,
  type SessionOptions,
  startSession,
} from '../../src/bpftrace/process/session.js';
import { joinProgram, type Program } from '../../src/probes/program.js';
import type { Tick, TracerRecord } from '../../src/records.js';
import { fakeBpftrace } from '../bpftrace/fake.js';
import { fragmentOf } from '../probes/fake.js';
import { assertTimely, upToThreeTimes } from '../support/timing.js';
import { gone, lives } from './support/daemon.js';
import { lacking } from './support/host.js';
import { patience } from './support/patience.js';

const skip = lacking('root', 'tracing', 'bpftrace');
const options = { skip, timeout: patience(60) };

const programOf = (body: string, prints = '@waits @wait_ns'): Program =>
  joinProgram([
    {
      fragment: fragmentOf('tiny', {
        header: ['mode watch', 'provides waits', 'cost some', `prints ${prints}`],
        body,
      }),
      constants: new Map(),
    },
  ]);

/** Each switch of tasks counts as a munmap that waited for 1 us. */
const tiny = programOf(
  'tracepoint:sched:sched_switch\n{\n  @waits[4, 0, 11] = count();\n  @wait_ns[4, 0, 11] = sum(1000);\n}\n',
);

let found: FoundBpftrace;
let dialect: Dialect;
before(async () => {
  if (skip !== false) return;
  found = await findBpftrace({ env: process.env });
  dialect = await runCanary([found.path]);
});

/** A session whose every word is kept, and can be waited for. */
const listenTo = (program: Program, changes: Partial<SessionOptions> = {}) => {
  const heard = { records: [] as TracerRecord[], attached: [] as number[], stderr: [] as string[] };
  let notice = (): void => {};
  const keep = <T>(list: T[]) => {
    return (item: T): void => {
      list.push(item);
      notice();
    };
  };
  const session = startSession({
    path: found.path,
    program,
    dialect,
    mapKeys: 1024,
    now: () => Date.now(),
    onRecord: keep(heard.records),
    onAttached: keep(heard.attached),
    onStderr: keep(heard.stderr),
    ...changes,
  });
  const ticks = (): Tick[] => heard.records.flatMap((record) => (record.kind === 'tick' ? [record] : []));
  return {
    session,
    heard,
    ticks,
    /** Resolves once something holds of what was heard; rejects when bpftrace ends before that. */
    until: async (holds: () => boolean): Promise<void> => {
      const over = session.ended.then((end) => {
        throw new Error(`it ended with ${end.exitCode} ${end.signal}: ${end.said.lines.join('\n')}`);
      });
      over.catch(() => {});
      while (!holds()) {
        const more = new Promise<void>((resolve) => {
          notice = resolve;
        });
        await Promise.race([more, over]);
      }
    },
  };
};

/** As the supervisor does it: asks again, for 0.17 forgets a signal that comes while it handles an event. */
const stopped = async (session: Session): Promise<SessionEnd> => {
  session.stop();
  const again = setInterval(() => session.stop(), 1000);
  const end = await session.ended;
  clearInterval(again);
  return end;
};

/**
 * The real bpftrace, behind a shell that hears SIGTERM so many seconds before it does: on 6.12 and later with many CPUs
 * each of its probes takes up to half a second to go, and only then come its last maps. Here no kernel does that.
 */
const slowToEnd = (t: TestContext, path: string, seconds: number): string =>
  fakeBpftrace(
    t,
    `exec 3<&0
setpriv --pdeathsig KILL ${path} "$@" <&3 &
pid=$!
trap 'asked=1' TERM
wait $pid
code=$?
[ -n "$asked" ] || exit $code
trap '' TERM
sleep ${seconds}
# 0.17 forgets a signal that comes while it handles an event.
for time in 1 2 3 4 5; do kill -TERM $pid; sleep 0.5; done 2>/dev/null &
wait $pid`,
  );

const pidOf = (session: Session): number => {
  assert.ok(session.pid !== undefined);
  return session.pid;
};

/** As tiny, and so many words beside it that its pipe is full whenever nobody reads for some milliseconds. */
const wordy = programOf(
  `tracepoint:sched:sched_switch
{
  @waits[4, 0, 11] = count();
  @wait_ns[4, 0, 11] = sum(1000);
  unroll(40) { printf("${'many words '.repeat(5)}"); }
}
`,
);

// Each has a bpftrace of its own, and one of them stands still for 5 s.
describe('a session', { concurrency: 2 }, () => {
  test('one that waits to write when it is stopped says its last words all the same', options, async () => {
    for (let time = 0; time < 2; time += 1) {
      const { session, ticks, until } = listenTo(wordy);
      await until(() => ticks().length === 2);
      // As a daemon that is busy for a moment: nobody reads.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
      const before = ticks().at(-1)?.at ?? 0;
      const askedAt = Date.now();
      const end = await stopped(session);
      assert.deepEqual([end.exitCode, end.orderly], [0, true], end.said.lines.join('\n'));
      const last = ticks().at(-1);
      assert.ok(end.seenUntil >= askedAt && last?.at === end.seenUntil && before < end.seenUntil);
    }
  });

  test('it attaches, ticks each second, and says its last words when it is stopped', options, async (t) => {
    const { session, heard, ticks, until } = listenTo(tiny);
    await until(() => ticks().length === 3);
    assert.deepEqual(heard.attached, [tiny.probes]);
    const counts = ticks().map(({ waits }) => waits[0]?.count ?? 0);
    assert.ok(counts[0]! < counts[1]! && counts[1]! < counts[2]!, `counts are cumulative: ${counts}`);
    await upToThreeTimes(t, 'session: a tick each second', async () => {
      const from = ticks().length;
      await until(() => ticks().length === from + 3);
      const seconds = (ticks()[from + 2]!.at - ticks()[from]!.at) / 1000;
      assertTimely(seconds > 1.5 && seconds < 2.5, `two ticks took ${seconds} s`);
    });

    const heardBefore = ticks().length;
    const end = await stopped(session);
    assert.deepEqual(
      [end.exitCode, end.signal, end.orderly],
      [0, undefined, true],
      end.said.lines.join('\n'),
    );
    const last = ticks().at(-1)!;
    assert.ok(ticks().length > heardBefore, 'there were no last words');
    assert.ok(last.waits[0]!.count >= counts[2]!);
    assert.equal(last.waits[0]!.nanoseconds, last.waits[0]!.count * 1000);
    assert.deepEqual(
      heard.records.filter((record) => record.kind !== 'tick' || !record.complete),
      [],
    );
    assert.equal(await lives(pidOf(session)), false);
  });

  test('killed, it is gone at once, and not in order', options, async () => {
    const { session, ticks, until } = listenTo(tiny);
    await until(() => ticks().length === 1);
    session.kill();
    const end = await session.ended;
    assert.deepEqual([end.exitCode, end.signal, end.orderly], [undefined, 'SIGKILL', false]);
    assert.equal(await lives(pidOf(session)), false);
  });

  test('one that does not react to a stop is killed when its time is over', options, async () => {
    const { session, ticks, until } = listenTo(tiny, {
      lastMaps: { silent: 2000, between: 500, most: 3000 },
    });
    await until(() => ticks().length === 1);
    process.kill(pidOf(session), 'SIGSTOP');
    const asked = Date.now();
    const end = await stopped(session);
    assert.equal(end.signal, 'SIGKILL');
    assert.ok(Date.now() - asked > 1500, 'it had no time for an orderly end');
    assert.ok(end.seenUntil <= asked, 'nothing it said was of later');
  });

  test('one that needs 8 s from the stop to its last maps loses nothing it counted', options, async (t) => {
    const { session, ticks, until } = listenTo(tiny, { path: slowToEnd(t, found.path, 8) });
    await until(() => ticks().length === 2);
    const before = ticks()[1]!;
    const asked = Date.now();
    const end = await stopped(session);
    assert.ok(Date.now() - asked >= 8000, 'it did not take long');
    assert.deepEqual([end.exitCode, end.orderly], [0, true], end.said.lines.join('\n'));
    const [last] = ticks().slice(-1);
    assert.ok(last!.waits[0]!.count > before.waits[0]!.count, 'there were no last maps');
  });

  test('its environment bounds the maps and does not lead to the socket of systemd', options, async () => {
    const before = process.env.NOTIFY_SOCKET;
    process.env.NOTIFY_SOCKET = '/run/mmaplockd-test/notify';
    try {
      const { session, heard, until } = listenTo(tiny, { mapKeys: 777 });
      await until(() => heard.attached.length === 1);
      const environment = readFileSync(`/proc/${pidOf(session)}/environ`, 'utf8').split('\0');
      assert.ok(environment.includes(`${dialect.mapKeysEnv}=777`));
      assert.ok(environment.some((variable) => variable.startsWith('PATH=')));
      assert.deepEqual(
        environment.filter((variable) => variable.startsWith('NOTIFY_SOCKET')),
        [],
      );
      // A Ctrl-C in our terminal must not reach it: it is ended by us, in order.
      const [, , , , group] = readFileSync(`/proc/${pidOf(session)}/stat`, 'latin1')
        .replace(/\(.*\)/s, '()')
        .split(' ');
      assert.equal(Number(group), pidOf(session));
      await stopped(session);
    } finally {
      if (before === undefined) delete process.env.NOTIFY_SOCKET;
      else process.env.NOTIFY_SOCKET = before;
    }
  });

  test('a program that is refused: what was wrong, and in which line', options, async () => {
    const broken = programOf(
      'tracepoint:sched:sched_switch\n{\n  @waits[4, 0, 11] = no_such_word;\n}\n',
      '@waits',
    );
    const { session, heard } = listenTo(broken);
    const end = await session.ended;
    assert.equal(end.orderly, false);
    assert.notEqual(end.exitCode, 0);
    assert.match(end.said.reason, /no_such_word/);
    const line = broken.text.split('\n').findIndex((text) => text.includes('no_such_word')) + 1;
    assert.equal(end.said.firstError?.sourceLine, line);
    assert.deepEqual(heard.attached, []);
  });

  test('a map that is full is told by its name', options, async () => {
    const wide = programOf(
      'tracepoint:sched:sched_switch\n{\n  @waits[4, 0, (int64)nsecs] = count();\n}\n',
      '@waits',
    );
    const { session, heard, until } = listenTo(wide, { mapKeys: 64 });
    await until(() => heard.records.some(({ kind }) => kind === 'map_overflow'));
    const overflow = heard.records.find((record) => record.kind === 'map_overflow');
    assert.equal(overflow?.map, 'waits');
    await stopped(session);
  });

  test('a bpftrace that is not there ends at once, with words', options, async () => {
    const session = startSession({
      path: '/nowhere/bpftrace',
      program: tiny,
      dialect,
      mapKeys: 64,
      now: () => 0,
      onRecord: () => {},
      onAttached: () => {},
      onStderr: () => {},
    });
    const end = await session.ended;
    assert.equal(end.orderly, false);
    assert.match(end.said.reason, /nowhere/);
  });

  test('no tracer outlives a parent that was killed', options, async () => {
    const modules = [
      'bpftrace/process/session.js',
      'bpftrace/dialect.js',
      'probes/program.js',
      'probes/fragment/fragment.js',
    ];
    const [session, canary, program, fragment] = modules.map((file) =>
      JSON.stringify(new URL(`../../src/${file}`, import.meta.url).href),
    );
    const script = `
    import { startSession } from ${session};
    import { runCanary } from ${canary};
    import { joinProgram } from ${program};
    import { parseFragment } from ${fragment};
    const path = ${JSON.stringify(found.path)};
    const text = '//@ mode watch\\n//@ cost some\\ntracepoint:sched:sched_switch\\n{\\n  @switches = count();\\n}\\n';
    const session = startSession({
      path,
      program: joinProgram([{ fragment: parseFragment('tiny', text), constants: new Map() }]),
      dialect: await runCanary([path]),
      mapKeys: 64,
      now: () => 0,
      onRecord: ({ kind }) => kind === 'tick' && console.log(session.pid),
      onAttached: () => {},
      onStderr: (line) => console.error(line),
    });
  `;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
    const pid = Number(line);
    assert.equal(await lives(pid), true);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await gone(pid);
  });
});
