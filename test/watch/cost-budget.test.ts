/** The cost of probes looked after, on a clock moved by hand and a kernel made by hand. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CostAccount } from '../../src/cost/account.js';
import type { BudgetChange } from '../../src/cost/budget.js';
import type { Cause } from '../../src/cost/cause.js';
import { StatsSwitch } from '../../src/cost/stats-switch.js';
import type { TracerCost } from '../../src/cost/tracer.js';
import { type ShedStep, shedSteps } from '../../src/vocabulary.js';
import { CostWatch, type WatchedTracer } from '../../src/watch/cost-budget.js';
import { HandClock } from '../bpftrace/hand-clock.js';

const root = mkdtempSync(join(tmpdir(), 'mmaplock-watch-'));
after(() => rmSync(root, { recursive: true }));
let count = 0;

const defaults = {
  budget_percent: 1,
  over_seconds: 120,
  quiet_seconds: 600,
  shed_waits: 'off',
  measure: 'on',
} as const;

/** Probes that take a share of one core for as long as the statistics are on, which is all the kernel tells of. */
const watching = (
  more: Partial<typeof defaults> | { measure: 'off' } = {},
  enabled: '0' | '1' = '0',
  cpus = 2,
  sheddable: readonly ShedStep[] = shedSteps,
) => {
  const clock = new HandClock();
  const file = join(root, String(count++));
  writeFileSync(file, enabled);
  const account = new CostAccount();
  const changes: BudgetChange[] = [];
  const lines: string[] = [];
  const figures: object[] = [];
  const log = (of: object, line?: string) => {
    lines.push(line ?? '');
    figures.push(of);
  };
  const causes = {
    cause: undefined as Cause | Error | undefined,
    asked: [] as string[][],
    wait: false,
    aborted: false,
  };
  const load = { ratio: 0.004, second: 0 };
  let tracer: WatchedTracer | undefined = { pid: 7, probes: ['tracepoint:a:b', 'interval:s:1'] };
  let inspectPid: number | undefined;
  let [ran, switchedOnAt, wasOn] = [0, 0, false];
  let sampled = 0;
  const isOn = () => readFileSync(file, 'latin1').trim() === '1';
  const read = (pid: number): TracerCost => {
    if (isOn() && !wasOn) sampled += 1;
    if (wasOn) ran += (clock.monotonic() - switchedOnAt) * 1e6;
    [switchedOnAt, wasOn] = [clock.monotonic(), isOn()];
    const program = (programId: number, ratio: number) => ({
      programId,
      runNanoseconds: ran * ratio,
      runs: ran / 1000,
      recursionMisses: 0,
    });
    return {
      cpuSeconds: 0,
      residentBytes: 0,
      mapBytes: 0,
      programs: pid === 7 ? [program(1, load.ratio), program(2, 0)] : [program(3, load.second)],
    };
  };
  const watch = new CostWatch({
    config: { ...defaults, ...more },
    cpus,
    clock,
    log: { warn: log, info: log } as never,
    account,
    stats: new StatsSwitch({ directory: '', file }),
    tracer: () => tracer,
    inspectPid: () => inspectPid,
    read,
    sheddable: () => sheddable,
    findCause: async (costs, signal) => {
      causes.asked.push([...costs.keys()]);
      if (causes.wait) {
        await once(signal, 'abort');
        causes.aborted = true;
        throw new Error('ended');
      }
      if (causes.cause instanceof Error) throw causes.cause;
      return causes.cause;
    },
    onChange: (change) => void changes.push(change),
  });
  watch.start();
  return {
    clock,
    watch,
    account,
    changes,
    lines,
    figures,
    causes,
    load,
    isOn,
    file,
    sampled: () => sampled,
    run: (one: WatchedTracer | undefined) => {
      tracer = one;
    },
    inspect: (pid: number | undefined) => {
      inspectPid = pid;
    },
  };
};

test('some seconds after the start, and then once a minute, the statistics are on for one second', async () => {
  const { clock, isOn, watch } = watching();
  let on = 0;
  for (let tenth = 0; tenth < 6500; tenth++) {
    await clock.pass(0.1);
    if (isOn()) on += 0.1;
  }
  assert.ok(on > 9 && on < 12, `${on.toFixed(1)} s of 650`);
  watch.stop();
  assert.equal(isOn(), false);
  assert.equal(clock.timers, 0, 'nothing is left running');
});

test('stopped within a sample, the statistics are off at once', async () => {
  const { clock, isOn, watch } = watching();
  while (!isOn()) await clock.pass(0.1);
  watch.stop();
  assert.equal(isOn(), false);
  await clock.pass(300);
  assert.equal(isOn(), false);
  assert.equal(clock.timers, 0);
});

test('where they are on already they stay on', async () => {
  const { clock, isOn, watch, account } = watching({}, '1');
  await clock.pass(200);
  assert.ok(Math.abs((account.probeCostRatio ?? 0) - 0.004) < 1e-4);
  watch.stop();
  assert.equal(isOn(), true);
});

test('a sample is extended to the time since the one before, and told by probe', async () => {
  const { clock, account, watch } = watching();
  assert.equal(account.probeRunSeconds, 0, 'the counter is there before the first sample');
  await clock.pass(1000);
  assert.ok(Math.abs((account.probeCostRatio ?? 0) - 0.004) < 1e-4, `${account.probeCostRatio}`);
  const total = account.probeRunSeconds ?? 0;
  assert.ok(total > 3.6 && total <= 4, `${total} s in 1000 s at 0.4 %`);
  assert.equal(account.probes[0]?.probe, 'tracepoint:a:b');
  watch.stop();
});

test('what the second tracer costs counts into the budget as well', async () => {
  const { clock, account, watch, load, inspect } = watching();
  inspect(8);
  load.second = 0.02;
  await clock.pass(30);
  assert.ok(Math.abs((account.probeCostRatio ?? 0) - 0.024) < 1e-3, `${account.probeCostRatio}`);
  watch.stop();
});

test('over the budget: looked at more often, given up step by step, each told with its numbers; then back', async () => {
  const { clock, changes, lines, load, watch } = watching();
  load.ratio = 0.02;
  await clock.pass(400);
  assert.deepEqual(
    changes.map(({ kind, step }) => `${kind} ${step}`),
    ['shed inspect', 'shed retries'],
  );
  assert.match(lines[0] ?? '', /inspect is given up/);
  load.ratio = 0.001;
  await clock.pass(1500);
  assert.deepEqual([...watch.shed], []);
  assert.match(lines.at(-1) ?? '', /inspect comes back/);
  watch.stop();
});

test('with all given up nothing runs, which is quiet: waits come back first', async () => {
  const { clock, changes, load, watch, run, account } = watching();
  load.ratio = 0.02;
  while (!watch.shed.includes('waits')) await clock.pass(10);
  run(undefined);
  await clock.pass(60);
  assert.equal(account.probeCostRatio, undefined);
  await clock.pass(700);
  assert.deepEqual(changes.at(-1)?.step, 'waits');
  assert.equal(changes.at(-1)?.kind, 'unshed');
  watch.stop();
});

test('while the tracer is away for another reason, nothing is known and nothing changes', async () => {
  const { clock, account, changes, load, run, watch } = watching();
  load.ratio = 0.02;
  await clock.pass(100);
  run(undefined);
  await clock.pass(3600);
  assert.equal(account.probeCostRatio, undefined);
  assert.deepEqual(changes, []);
  watch.stop();
});

test('where they cannot be had it says so once, and the metrics are absent', async () => {
  const { clock, account, file, lines, watch } = watching();
  rmSync(file);
  await clock.pass(600);
  assert.equal(watch.budget.unmeasured?.code, 'probe_cost_unmeasured');
  assert.equal(lines.length, 1);
  assert.deepEqual([account.probeRunSeconds, account.probeCostRatio], [undefined, undefined]);
  watch.stop();
});

test('cost.measure off touches nothing, and says that the budget is not kept', async () => {
  const { clock, account, watch, isOn, sampled } = watching({ measure: 'off' });
  await clock.pass(600);
  assert.equal(isOn(), false);
  assert.equal(sampled(), 0);
  assert.equal(account.probeRunSeconds, undefined);
  assert.match(watch.budget.unmeasured?.message ?? '', /cost\.measure is off/);
  watch.stop();
});

const cause: Cause = { cgroup: { id: '4711', share: 0.9 }, user: { uid: 1000, share: 0.8 } };

test('whom the cost is of is looked for when something is to be given up, and told with it', async () => {
  const { clock, watch, load, causes, figures } = watching();
  causes.cause = cause;
  load.ratio = 0.02;
  await clock.pass(150);
  assert.equal(causes.asked.length, 1);
  assert.deepEqual(causes.asked[0], ['tracepoint:a:b'], 'an interval is of nobody');
  const { step, uid, cgroup_id } = figures[0] as { step: string; uid: number; cgroup_id: string };
  assert.deepEqual([step, uid, cgroup_id], ['inspect', 1000, '4711']);
  assert.deepEqual(watch.budget.cause?.user, cause.user);
  load.ratio = 0.001;
  await clock.pass(1500);
  assert.equal(watch.budget.cause, undefined, 'once all is back, nobody is told of');
  await watch.stop();
});

test('where nothing is left to give up that is said once, and a state of its own', async () => {
  const { clock, watch, load, causes, lines } = watching({}, '0', 2, ['inspect']);
  causes.cause = cause;
  load.ratio = 0.02;
  await clock.pass(3600);
  assert.deepEqual([...watch.shed], ['inspect']);
  assert.equal(watch.budget.exceeded, true);
  assert.equal(lines.filter((line) => /nothing is left to give up/.test(line)).length, 1);
  assert.ok(causes.asked.length <= 3600 / 300 + 1, `looked ${causes.asked.length} times in an hour`);
  load.ratio = 0.001;
  await clock.pass(120);
  assert.equal(watch.budget.exceeded, false);
  await watch.stop();
});

test('where it cannot be found, what is given up is given up all the same, and that is said', async () => {
  const { clock, watch, load, causes, lines } = watching();
  causes.cause = new Error('no bpftrace');
  load.ratio = 0.02;
  await clock.pass(150);
  assert.deepEqual([...watch.shed], ['inspect']);
  assert.match(lines.join(' '), /it is not known whom the cost of the probes is of/);
  await watch.stop();
});

test('the end waits until nothing counts any more, and gives nothing up meanwhile', async () => {
  const { clock, watch, load, causes, changes, lines } = watching();
  load.ratio = 0.02;
  causes.wait = true;
  await clock.pass(200);
  assert.equal(causes.asked.length, 1);
  await watch.stop();
  assert.equal(causes.aborted, true);
  assert.deepEqual([changes, lines], [[], []]);
});
