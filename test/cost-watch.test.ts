/** The cost of probes looked after, on a clock moved by hand and a kernel made by hand. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CostAccount } from '../src/cost/account.js';
import type { BudgetChange } from '../src/cost/budget.js';
import type { Cause } from '../src/cost/cause.js';
import { StatsSwitch } from '../src/cost/stats-switch.js';
import type { TracerCost } from '../src/cost/tracer.js';
import { CostWatch, type WatchedTracer } from '../src/cost-watch.js';
import { shedSteps } from '../src/vocabulary.js';
import { HandClock } from './bpftrace/hand-clock.js';

const root = mkdtempSync(join(tmpdir(), 'mmaplock-watch-'));
after(() => rmSync(root, { recursive: true }));
let count = 0;

const defaults = { budget_percent: 1, over_seconds: 120, quiet_seconds: 600, measure: 'on' } as const;

/** Probes that take a share of one core for as long as the statistics are on, which is all the kernel tells of. */
const watching = (
  more: Partial<typeof defaults> | { measure: 'off' } = {},
  enabled: '0' | '1' = '0',
  cpus = 2,
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
  const causes = { cause: undefined as Cause | Error | undefined, asked: [] as string[][] };
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
    const program = (prog_id: number, ratio: number) => ({
      prog_id,
      run_time_ns: ran * ratio,
      run_cnt: ran / 1000,
      recursion_misses: 0,
    });
    return {
      cpu_seconds: 0,
      resident_bytes: 0,
      map_bytes: 0,
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
    sheddable: () => shedSteps,
    findCause: async (costs) => {
      causes.asked.push([...costs.keys()]);
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

const of = (uid: number, cgroupId: string, share = 0.9): Cause => ({
  cgroup: { id: cgroupId, share },
  user: { uid, share },
});

for (const [whose, cause] of [
  ['a user', of(1000, '1')],
  ['a cgroup', of(0, '4711')],
] as const)
  test(`waits are not given up for the cost that ${whose} makes: that is said, and not at each sample`, async () => {
    const { clock, watch, load, causes, lines, figures, changes } = watching();
    causes.cause = cause;
    load.ratio = 0.02;
    await clock.pass(3000);
    assert.deepEqual([...watch.shed], ['inspect', 'retries', 'reads', 'opens']);
    const kept = lines.flatMap((line, index) =>
      /waits are observed all the same/.test(line) ? [figures[index]!] : [],
    );
    assert.ok(kept.length >= 5 && kept.length <= 9, `said ${kept.length} times in 40 min`);
    const { uid, cgroup_id } = kept[0] as { uid: number; cgroup_id: string };
    assert.deepEqual([uid, cgroup_id], [cause.user.uid, cause.cgroup.id]);
    assert.deepEqual(watch.budget.cause, cause);
    assert.equal(changes.length, 4);
    watch.stop();
  });

for (const [whose, cause] of [
  ['nobody that one could name', of(0, '1')],
  ['many', of(1000, '4711', 0.3)],
  ['nobody knows whom', new Error('no bpftrace')],
] as const)
  test(`waits are given up at last where the cost is that of ${whose}`, async () => {
    const { clock, watch, load, causes, figures } = watching();
    causes.cause = cause;
    load.ratio = 0.02;
    while (!watch.shed.includes('waits')) await clock.pass(10);
    assert.deepEqual(causes.asked[0], ['tracepoint:a:b', 'interval:s:1']);
    const last = figures.at(-1) as { step: string; uid?: number };
    assert.equal(last.step, 'waits');
    assert.equal(last.uid, cause instanceof Error ? undefined : cause.user.uid);
    watch.stop();
  });
