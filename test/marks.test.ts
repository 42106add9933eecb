import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mock, test } from 'node:test';
import type { Log } from '../src/log/log.js';
import { markOpenProcFiles } from '../src/marks.js';

test('the tracer is told of each process that has a proc file open, by asking whether it lives', async (t) => {
  const child = spawn('sh', ['-c', 'exec 3</proc/self/maps; echo ready; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  const asked: (readonly [number, unknown])[] = [];
  t.mock.method(process, 'kill', (pid: number, signal: unknown) => {
    asked.push([pid, signal]);
    if (pid === child.pid) throw Object.assign(new Error('gone'), { code: 'ESRCH' });
    return true;
  });
  const warn = mock.fn();
  await markOpenProcFiles({ debug: () => {}, warn } as unknown as Log);
  child.kill('SIGKILL');
  assert.ok(
    asked.some(([pid, signal]) => pid === child.pid && signal === 0),
    `${child.pid} is not among ${JSON.stringify(asked)}`,
  );
  assert.equal(warn.mock.callCount(), 0, 'one that has gone meanwhile is no reason to warn');
});
