import assert from 'node:assert/strict';
import { test } from 'node:test';
import { observedSeconds, type Recording, recordFor } from '../../../src/cli/record/recording.js';
import type { TracerRecord } from '../../../src/records.js';
import { HandClock } from '../../bpftrace/hand-clock.js';
import { FakeDaemon } from '../../support/daemon.js';
import { stall, tick } from '../../support/records.js';

/** A daemon that has ticked once, and is recorded from then on. */
class Scene {
  readonly clock = new HandClock();
  readonly daemon = new FakeDaemon();
  readonly ending = new AbortController();
  readonly firstTickAt: number;
  readonly #recording: Promise<Recording<unknown>>;
  #done: Recording<unknown> | undefined;

  constructor(seconds: number, before: (at: number) => readonly TracerRecord[] = () => []) {
    this.firstTickAt = this.clock.now();
    const at = this.firstTickAt;
    this.daemon.apply(...before(at), { kind: 'tracer_started', at }, tick(at));
    const view = { ledger: this.daemon.ledger, now: () => this.clock.now() };
    this.#recording = recordFor(view, { seconds, clock: this.clock, ending: this.ending.signal });
    void this.#recording.then((recording) => {
      this.#done = recording;
    });
  }

  get isOver(): boolean {
    return this.#done !== undefined;
  }

  async pass(seconds: number, ...records: readonly ((at: number) => TracerRecord)[]): Promise<void> {
    await this.clock.pass(seconds);
    this.daemon.apply(...records.map((record) => record(this.clock.now())));
  }

  async tickFor(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) await this.pass(1, (at) => tick(at));
  }

  async result(): Promise<Recording<unknown>> {
    await this.clock.pass(0.4);
    assert.equal(this.clock.timers, 0, 'it waits for nothing more');
    return this.#recording;
  }
}

test('so many seconds, from the second of which the first tick told to the tick that tells of the last', async () => {
  const scene = new Scene(3);
  await scene.tickFor(1);
  assert.equal(scene.isOver, false);
  await scene.tickFor(1);
  const recording = await scene.result();
  assert.equal(recording.startedAt, scene.firstTickAt - 1000);
  assert.equal(recording.endedAt, scene.firstTickAt + 2000);
  assert.equal(observedSeconds(recording), 3);
  assert.deepEqual(recording.gaps, []);
});

test('a gap is told with its reason, and is no time observed; what was blind before is none', async () => {
  const stopped = (at: number): TracerRecord => ({
    kind: 'tracer_stopped',
    at,
    reason: 'killed',
    handedOver: true,
  });
  const scene = new Scene(10, (at) => [stopped(at - 7000)]);
  await scene.tickFor(2);
  await scene.pass(0, stopped);
  await scene.pass(3, (at) => ({ kind: 'tracer_started', at }), tick);
  await scene.tickFor(4);
  const recording = await scene.result();
  assert.deepEqual(recording.gaps, [{ reason: 'killed', seconds: 3 }]);
  assert.equal(observedSeconds(recording), 7);
});

test('where the tracer is down at the end it is not waited for for ever', async () => {
  const scene = new Scene(5);
  await scene.tickFor(1);
  await scene.pass(0, (at) => ({ kind: 'tracer_stopped', at, reason: 'stalled', handedOver: false }));
  await scene.pass(4.4);
  assert.equal(scene.isOver, false);
  await scene.pass(1);
  const { endedAt, startedAt, gaps } = await scene.result();
  const [gap] = gaps;
  assert.equal(gap?.reason, 'stalled');
  assert.ok(
    Math.abs((endedAt - startedAt) / 1000 - 2 - (gap?.seconds ?? 0)) < 0.001,
    'two seconds were seen',
  );
});

test('it ends early when it is to end, with what was seen up to the last tick', async () => {
  const scene = new Scene(3600);
  await scene.tickFor(2);
  await scene.pass(0.3);
  scene.ending.abort();
  const recording = await scene.result();
  assert.equal(observedSeconds(recording), 3);
});

test('a corrected time of day neither ends it nor draws it out', async () => {
  const scene = new Scene(10);
  await scene.tickFor(2);
  scene.clock.correct(3600);
  await scene.tickFor(5);
  assert.equal(scene.isOver, false);
  await scene.tickFor(3);
  await scene.result();
});

test('its incidents are those of its end, whatever becomes of them', async () => {
  const scene = new Scene(2);
  await scene.pass(0.5, (at) => stall(at, 80e6));
  await scene.tickFor(1);
  const { incidents } = await scene.result();
  scene.daemon.apply({
    kind: 'tracer_stopped',
    at: scene.clock.now(),
    reason: 'replan',
    handedOver: true,
  });
  assert.deepEqual(
    incidents.map(({ victim, interrupted }) => [victim.name, interrupted]),
    [['mysqld', false]],
  );
});
