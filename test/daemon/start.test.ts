/** The wiring of the daemon itself, with a tracer that a test speaks for. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '../../src/clock.js';
import { loadConfig } from '../../src/config/load.js';
import { startDaemon } from '../../src/daemon/start.js';
import { createLog } from '../../src/log/log.js';
import { dialectOf } from '../bpftrace/goldens.js';
import { ScriptedSession } from '../bpftrace/scripted.js';
import { lacking } from '../live/support/host.js';
import { valueIn } from '../support/exposition.js';
import { waitRow } from '../support/records.js';

const directory = mkdtempSync(path.join(tmpdir(), 'mmaplockd-wiring-'));
after(() => rmSync(directory, { recursive: true }));
// Any kernel with tracepoints can run it.
writeFileSync(
  path.join(directory, 'waits.bt'),
  `// waits.bt  Who waits.
//@ mode watch
//@ provides waits
//@ cost hardly any
//@ prints @waits
tracepoint:sched:sched_process_exit
{
  @waits[1, 2, 3] = count();
}
`,
);

test('what a tracer says is served, and goes on over the next', {
  skip: lacking('root', 'tracing'),
}, async (t) => {
  const sessions: ScriptedSession[] = [];
  let started = (_session: ScriptedSession): void => {};
  const nextSession = (): Promise<ScriptedSession> =>
    new Promise((resolve) => {
      started = resolve;
    });
  const first = nextSession();
  const lines: string[] = [];
  const daemon = await startDaemon(
    loadConfig({ flags: { 'probes.directory': directory, 'web.listen_address': ['127.0.0.1:0'] } }),
    createLog({ level: 'info', format: 'json', stream: { write: (line) => void lines.push(line) } }),
    systemClock,
    {
      tracing: {
        find: async () => ({ path: '/usr/bin/bpftrace', version: '0.17.0' }),
        learnDialect: async () => dialectOf('0.17.0'),
        startSession: (options) => {
          const session = new ScriptedSession(1000 + sessions.length, options);
          sessions.push(session);
          started(session);
          return session;
        },
      },
    },
  );
  const stop = async (): Promise<void> => {
    const stopped = daemon.stop();
    await Promise.all(sessions.map((session) => session.exit(0)));
    await stopped;
  };
  t.after(stop);
  const ask = (of: string): Promise<Response> => fetch(new URL(of, daemon.urls[0]));
  const metrics = async (): Promise<string> => (await ask('/metrics')).text();
  const waits = { mode: 'write', operation: 'munmap' };

  const session = await first;
  assert.match(session.options.program.text, /@waits\[1, 2, 3\] = count\(\)/);
  assert.equal((await ask('/-/ready')).status, 503);
  session.attach();
  session.tick({ waits: [waitRow('write', 'munmap', 3, 6e9)] });
  assert.equal((await ask('/-/ready')).status, 200);
  assert.equal(valueIn(await metrics(), 'mmaplock_waits_total', waits), 3);
  const { data } = (await (await ask('/api/v1/waits')).json()) as { data: readonly object[] };
  assert.deepEqual(data[0], { ...waits, waits_total: 3, wait_seconds_total: 6 });

  const second = nextSession();
  await session.killed();
  const next = await second;
  next.attach();
  next.tick({ waits: [waitRow('write', 'munmap', 1, 1e9)] });
  const text = await metrics();
  assert.equal(valueIn(text, 'mmaplock_waits_total', waits), 4);
  assert.equal(valueIn(text, 'mmaplock_tracer_restarts_total', { reason: 'killed' }), 1);
  assert.equal(valueIn(text, 'mmaplock_tracer_up'), 1);

  await stop();
  assert.deepEqual(next.asked, ['stop']);
  const said = lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
  assert.deepEqual(said.slice(0, 1), ['observing']);
  await assert.rejects(ask('/-/healthy'));
});
