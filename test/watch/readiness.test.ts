import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MmaplockError } from '../../src/errors.js';
import type { ProbePlan } from '../../src/probes/plan.js';
import type { ReasonCode } from '../../src/probes/reasons.js';
import { type ReadinessInputs, readinessOf } from '../../src/watch/readiness.js';
import { epoch, failedTracer, observingTracer, planOf } from '../support/daemon.js';

const rejected = {
  fragment: 'reads',
  reasons: [{ code: 'rejected_by_bpftrace', detail: 'reads.bt:7: unknown function' }],
} as const;
const malformed = {
  fragment: 'broken',
  reasons: [{ code: 'fragment_malformed', detail: 'broken.bt:1: the header lacks //@ mode' }],
} as const;
const covered = {
  fragment: 'waits-kprobe',
  reasons: [{ code: 'covered_by_other', detail: 'waits provides the same' }],
} as const;

const kept = { percent: 1, shed: [], exceeded: false, ratio: 0.002 } as const;
const off = { code: 'switched_off', detail: '--probes.allow none leaves out all probes' } as const;
const blind = planOf([]);
const switchedOff = {
  ...blind,
  observables: { ...blind.observables, waits: { observed: false, reason: off } },
};

const states: readonly {
  readonly name: string;
  readonly inputs: Partial<ReadinessInputs>;
  readonly ready: boolean;
  readonly codes: readonly string[];
}[] = [
  { name: 'it observes and ticks', inputs: {}, ready: true, codes: [] },
  {
    name: 'the last tick is as old as may be',
    inputs: { lastTickAt: epoch - 5000 },
    ready: true,
    codes: [],
  },
  {
    name: 'ticks have stalled',
    inputs: { lastTickAt: epoch - 5001 },
    ready: false,
    codes: ['ticks_stalled'],
  },
  {
    name: 'it observes, but no tick has come',
    inputs: { lastTickAt: undefined },
    ready: false,
    codes: ['ticks_stalled'],
  },
  {
    name: 'the tracer starts for the first time',
    inputs: { tracer: { phase: 'starting', since: epoch }, lastTickAt: undefined },
    ready: false,
    codes: ['starting'],
  },
  {
    name: 'the tracer is started again after a planned end',
    inputs: { tracer: { phase: 'waiting', since: epoch, nextTryAt: epoch + 250 } },
    ready: false,
    codes: ['waiting'],
  },
  {
    name: 'the tracer has failed and will be tried again',
    inputs: { tracer: failedTracer() },
    ready: false,
    codes: ['bpftrace_missing'],
  },
  {
    name: 'the tracer is tried again; why it failed is still told',
    inputs: { tracer: { ...failedTracer(), phase: 'starting' } },
    ready: false,
    codes: ['bpftrace_missing'],
  },
  {
    name: 'the daemon stops',
    inputs: { tracer: { phase: 'stopped', since: epoch } },
    ready: false,
    codes: ['stopped'],
  },
  {
    name: 'waits cannot be observed here, though the tracer would run',
    inputs: { plan: planOf([]) },
    ready: false,
    codes: ['nothing_observable'],
  },
  {
    name: 'the operator switched all probes off',
    inputs: { plan: switchedOff, tracer: { phase: 'stopped', since: epoch }, lastTickAt: undefined },
    ready: false,
    codes: ['probes_switched_off'],
  },
  {
    name: 'one fragment was refused by bpftrace; the others observe',
    inputs: { plan: planOf(['waits'], { refused: [rejected, covered] }) },
    ready: true,
    codes: ['fragment_rejected'],
  },
  {
    name: 'one fragment is malformed; the others observe',
    inputs: { plan: planOf(['waits'], { refused: [malformed] }) },
    ready: true,
    codes: ['fragment_malformed'],
  },
  {
    name: 'part of it was given up for its cost; waits are observed',
    inputs: { budget: { percent: 1, shed: ['inspect', 'retries'], exceeded: false, ratio: 0.004 } },
    ready: true,
    codes: ['shed_for_cost'],
  },
  {
    name: 'all of it was given up for its cost',
    inputs: {
      plan: {
        ...blind,
        observables: {
          ...blind.observables,
          waits: { observed: false, reason: { code: 'shed_for_cost', detail: 'given up' } },
        },
      },
      tracer: { phase: 'stopped', since: epoch },
      budget: { percent: 1, shed: ['retries', 'waits'], exceeded: false, ratio: undefined },
    },
    ready: false,
    codes: ['shed_for_cost'],
  },
  {
    name: 'the kernel is locked down',
    inputs: {
      plan: {
        ...blind,
        observables: {
          ...blind.observables,
          waits: { observed: false, reason: { code: 'kernel_lockdown', detail: 'so it is' } },
        },
      },
      tracer: { phase: 'waiting', since: epoch },
    },
    ready: false,
    codes: ['kernel_lockdown'],
  },
  {
    name: 'a fragment was refused and nothing is left',
    inputs: { plan: planOf([], { refused: [rejected] }) },
    ready: false,
    codes: ['fragment_rejected', 'nothing_observable'],
  },
];

const unobserved = (plan: ProbePlan, what: 'waits' | 'operations', code: ReasonCode): ProbePlan => ({
  ...plan,
  observables: { ...plan.observables, [what]: { observed: false, reason: { code, detail: 'so it is' } } },
});
const idle = { phase: 'waiting', since: epoch } as const;

const startStates: typeof states = [
  {
    name: 'bpftrace gives process ids of its own namespace',
    inputs: { plan: unobserved(blind, 'waits', 'own_pid_namespace'), tracer: idle },
    ready: false,
    codes: ['own_pid_namespace'],
  },
  {
    name: 'registers are not where they are looked for; waits are observed',
    inputs: { plan: unobserved(planOf(), 'operations', 'registers_unproven') },
    ready: true,
    codes: ['registers_unproven'],
  },
  {
    name: 'a source does not count reads; waits are observed',
    inputs: {
      plan: planOf(undefined, {
        refused: [
          { fragment: 'reads-fentry', reasons: [{ code: 'reads_unproven', detail: 'it told none' }] },
        ],
      }),
    },
    ready: true,
    codes: ['reads_unproven'],
  },
  {
    name: 'the check at the start failed; waits are observed',
    inputs: { host: [{ code: 'start_check_failed', message: 'it hung', fix: 'Try again.' }] },
    ready: true,
    codes: ['start_check_failed'],
  },
];

for (const { name, inputs, ready, codes } of [...states, ...startStates])
  test(`${ready ? 'ready' : 'not ready'}: ${name}`, () => {
    const readiness = readinessOf({
      plan: planOf(),
      tracer: observingTracer(),
      lastTickAt: epoch - 1000,
      now: epoch,
      stallSeconds: 5,
      budget: kept,
      ...inputs,
    });
    assert.equal(readiness.ready, ready);
    assert.deepEqual(
      readiness.problems.map(({ code }) => code),
      codes,
    );
    for (const { message, fix } of readiness.problems)
      assert.ok(message.length > 0 && fix.length > 0, 'each says what is wrong and how to mend it');
  });

test('what is not observable is told with its reason, what the tracer met with its own words and mend', () => {
  const inputs = { tracer: observingTracer(), lastTickAt: epoch, now: epoch, stallSeconds: 5, budget: kept };
  const { problems: planned } = readinessOf({ ...inputs, plan: planOf([], { refused: [rejected] }) });
  assert.match(planned[0]!.message, /reads.*unknown function/);
  assert.match(planned[1]!.message, /no fragment of this version provides it/);
  const error = new MmaplockError('tracer_killed', 'bpftrace was ended by SIGKILL', {
    fix: 'Ask the OOM killer.',
  });
  const { problems } = readinessOf({
    ...inputs,
    plan: planOf(),
    tracer: { phase: 'waiting', since: epoch, error },
  });
  assert.deepEqual(problems, [
    { code: 'tracer_killed', message: 'bpftrace was ended by SIGKILL', fix: 'Ask the OOM killer.' },
  ]);
});

test('what was switched off on purpose is told as such, with the setting', () => {
  const tracer = { phase: 'stopped', since: epoch } as const;
  const inputs = {
    plan: switchedOff,
    tracer,
    lastTickAt: undefined,
    now: epoch,
    stallSeconds: 5,
    budget: kept,
  };
  const [problem] = readinessOf(inputs).problems;
  assert.match(problem!.message, /that is meant: --probes\.allow none/);
  assert.match(problem!.fix, /probes\.allow/);
});

test('stalled ticks are told by their age', () => {
  const { problems } = readinessOf({
    plan: planOf(),
    tracer: observingTracer(),
    lastTickAt: epoch - 7300,
    now: epoch,
    stallSeconds: 5,
    budget: kept,
  });
  assert.match(problems[0]!.message, /\b7\.3 s\b/);
});

test('what was given up for its cost is told with the budget and what the rest costs', () => {
  const { problems } = readinessOf({
    plan: planOf(),
    tracer: observingTracer(),
    lastTickAt: epoch,
    now: epoch,
    stallSeconds: 5,
    budget: { percent: 1.5, shed: ['inspect', 'retries'], exceeded: false, ratio: 0.0042 },
  });
  assert.match(problems[0]!.message, /more than 1\.5 % of a core.*: inspect, retries; .* 0\.42 %/);
  assert.match(problems[0]!.fix, /cost\.budget_percent/);
});
