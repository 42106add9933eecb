import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusOf } from '../../src/systemd/status.js';

const problem = (message: string) => ({ code: 'some_code', message, fix: 'Do something.' });

test('a host that is observed, in full or in part, and one that is not', () => {
  assert.equal(statusOf({ ready: true, problems: [] }), 'Observing.');
  assert.equal(
    statusOf({ ready: true, problems: [problem('fragment blocks: too large')] }),
    'Observing, but: fragment blocks: too large',
  );
  assert.equal(
    statusOf({ ready: false, problems: [problem('the tracer is starting'), problem('and more')] }),
    'Not observing: the tracer is starting',
  );
});

test('a status is one line, however long and strange the reason', () => {
  const status = statusOf({ ready: false, problems: [problem(`bpftrace\nREADY=1\n${'x'.repeat(1000)}`)] });
  assert.match(status, /^Not observing: bpftrace\\nREADY=1\\nx+\.\.\.$/);
  assert.equal(status.length, 160);
});
