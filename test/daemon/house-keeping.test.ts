import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CostAccount } from '../../src/cost/account.js';
import { keepHouse } from '../../src/daemon/house-keeping.js';
import { createLog } from '../../src/log/log.js';
import { HandClock, settled } from '../bpftrace/hand-clock.js';

test('it is done at once and every ten seconds until it is ended; what goes wrong is told, and it goes on', async () => {
  const clock = new HandClock();
  const lines: string[] = [];
  let looks = 0;
  const stop = keepHouse({
    clock,
    log: createLog({ level: 'info', format: 'json', stream: { write: (line: string) => lines.push(line) } }),
    cost: new CostAccount(),
    cgroups: {
      refresh: () => {
        looks += 1;
        return Promise.reject(new Error('no cgroups'));
      },
    },
    tracerPid: () => undefined,
    probeNames: () => [],
  });
  await settled();
  assert.equal(looks, 1);
  await clock.pass(25);
  assert.equal(looks, 3);
  stop();
  await clock.pass(60);
  assert.equal(looks, 3);
  assert.match(lines[0] ?? '', /cgroups: no cgroups/);
});
