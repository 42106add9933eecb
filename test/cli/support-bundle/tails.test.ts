import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamHub } from '../../../src/api/stream/hub.js';
import { keepStderr, keepTicks } from '../../../src/cli/support-bundle/tails.js';
import { createLog } from '../../../src/log/log.js';
import { HandClock } from '../../bpftrace/hand-clock.js';
import { epoch } from '../../support/daemon.js';

test('of the log what bpftrace says is kept, the newest 200 lines of it', () => {
  const { lines, stream } = keepStderr();
  const log = createLog({ level: 'debug', format: 'json', stream });
  log.info({ tracer_pid: 5, bpftrace: '0.17.0' }, 'observing');
  log.warn({ victim: 'mysqld' }, 'an incident');
  for (let line = 1; line <= 201; line++) log.debug({ bpftrace: `line ${line}` }, 'bpftrace says');
  log.warn({ bpftrace: 'ERROR: "x"', unsaid: 3 }, 'bpftrace says');
  assert.equal(lines.length, 200);
  assert.deepEqual([lines[0], lines.at(-2), lines.at(-1)], ['line 3', 'line 201', 'ERROR: "x"']);
});

test('ticks are kept as they were published, the newest 60, until it is told to stop', () => {
  const clock = new HandClock();
  const hub = new StreamHub({ clock, startedAt: epoch });
  hub.publish({ type: 'tick', data: { second: 0 } });
  const { ticks, stop } = keepTicks(hub);
  for (let second = 1; second <= 61; second++) hub.publish({ type: 'tick', data: { second, text: 'a\nb' } });
  hub.publish({ type: 'incident', data: { id: 'x' } });
  stop();
  hub.publish({ type: 'tick', data: { second: 62 } });
  assert.equal(ticks.length, 60);
  assert.deepEqual(
    [ticks[0], ticks.at(-1)],
    [
      { second: 2, text: 'a\nb' },
      { second: 61, text: 'a\nb' },
    ],
  );
  assert.deepEqual([hub.listening, clock.timers], [0, 0]);
});
