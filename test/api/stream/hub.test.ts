import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type HubOptions, type JoinOptions, type Seat, StreamHub } from '../../../src/api/stream/hub.js';
import { type KeptType, keptTypes } from '../../../src/api/stream/ring.js';
import { HandClock } from '../../bpftrace/hand-clock.js';
import { epoch } from '../../support/daemon.js';
import { cases } from '../../support/depth.js';

const hubWith = (options: Partial<HubOptions> = {}): StreamHub =>
  new StreamHub({ clock: new HandClock(), startedAt: epoch, ...options });

const both: ReadonlySet<KeptType> = new Set(keptTypes);

/** A listener whose connection takes as many bytes at once as it is told, and the rest when it is drained. */
class FakeClient {
  readonly events: { readonly id: string; readonly event: string; readonly data: string }[] = [];
  isCut = false;
  isOpen = true;
  /** Bytes its connection takes before it is drained again. */
  #room: number;
  #unsent = 0;
  #seat: Seat;

  constructor(
    hub: StreamHub,
    { room = Number.POSITIVE_INFINITY, ...options }: Partial<JoinOptions> & { readonly room?: number } = {},
  ) {
    this.#room = room;
    this.#seat = hub.join(
      {
        write: (bytes) => {
          assert.ok(this.isOpen && !this.isCut, 'nothing is written to one that is gone');
          const [, id = '', event, data = ''] =
            /^id: (.*)\nevent: (.*)\ndata: (.*)\n\n$/.exec(Buffer.from(bytes).toString()) ?? [];
          if (event !== undefined) this.events.push({ id, event, data });
          this.#room -= bytes.length;
          this.#unsent = Math.max(0, -this.#room);
          return this.#unsent === 0;
        },
        unsent: () => this.#unsent,
        cut: () => {
          this.isCut = true;
        },
      },
      { types: both, ...options },
    );
  }

  drain(room = Number.POSITIVE_INFINITY): void {
    this.#unsent = 0;
    this.#room = room;
    this.#seat.drained();
  }

  leave(): void {
    this.isOpen = false;
    this.#seat.leave();
  }

  get numbers(): number[] {
    return this.events.map(({ id }) => Number(id.split('-')[1]));
  }
}

const publish = (hub: StreamHub, count: number, type: KeptType = 'tick'): void => {
  for (let index = 0; index < count; index++) hub.publish({ type, data: {} });
};

test('ids of two starts of the daemon are never the same', () => {
  const ids = [epoch, epoch + 1].flatMap((startedAt) => {
    const hub = hubWith({ startedAt });
    const client = new FakeClient(hub);
    publish(hub, 3);
    return client.events.map(({ id }) => id);
  });
  assert.equal(new Set(ids).size, 6);
});

test('who has an id of the future, as after the time of day was set back, is told of the gap', () => {
  const hub = hubWith();
  const client = new FakeClient(hub);
  publish(hub, 2);
  const lastEventId = client.events[1]!.id.replace(/2$/, '3');
  assert.deepEqual(
    new FakeClient(hub, { lastEventId }).events.map(({ event }) => event),
    ['gap', 'tick', 'tick'],
  );
});

test('who listens for incidents alone has no gap because ticks are gone', () => {
  const hub = hubWith({ kept: { events: 2, bytes: 1000 } });
  const types = new Set(['incident'] as const);
  const client = new FakeClient(hub, { types });
  publish(hub, 1, 'incident');
  client.leave();
  publish(hub, 100);
  publish(hub, 1, 'incident');
  const lastEventId = client.events[0]?.id;
  assert.deepEqual(
    new FakeClient(hub, { types, lastEventId }).events.map(({ event }) => event),
    ['incident'],
  );
  assert.equal(new FakeClient(hub, { lastEventId }).events[0]?.event, 'gap');
});

test('a large rest is sent as fast as it is taken, and is no reason to be cut', () => {
  const hub = hubWith({ unsentBytes: 100 });
  const first = new FakeClient(hub);
  publish(hub, 20);
  // Its connection takes one event at a time.
  const slow = new FakeClient(hub, { lastEventId: first.events[0]?.id, room: 0 });
  assert.deepEqual(slow.numbers, [2]);
  publish(hub, 1);
  for (let time = 0; time < 30; time++) slow.drain(0);
  assert.deepEqual(slow.numbers, first.numbers.slice(1));
  assert.equal(slow.isCut, false);
});

test('who leaves too much unsent is cut, once', () => {
  const hub = hubWith({ unsentBytes: 100 });
  const [quick, slow] = [new FakeClient(hub), new FakeClient(hub, { room: 0 })];
  publish(hub, 10);
  assert.deepEqual([quick.isCut, slow.isCut], [false, true]);
  assert.equal(quick.numbers.length, 10);
  assert.ok(slow.numbers.length < 10);
  slow.leave();
  assert.equal(hub.listening, 1);
});

test('who catches up so slowly that its next event is gone is cut', () => {
  const hub = hubWith({ kept: { events: 3, bytes: 10_000 } });
  const first = new FakeClient(hub);
  publish(hub, 3);
  const slow = new FakeClient(hub, { lastEventId: first.events[0]?.id, room: 0 });
  publish(hub, 2);
  assert.equal(slow.isCut, false, '3 to 5 are there');
  publish(hub, 1);
  assert.equal(slow.isCut, true, '3 is not');
});

test('whatever happens, a client gets each event once and in order, or is told of a gap, or is cut', () => {
  const action = fc.oneof(
    fc.record({ publish: fc.constantFrom(...keptTypes) }),
    fc.record({ drain: fc.integer({ min: 0, max: 300 }) }),
    fc.constant({ comeBack: true }),
  );
  const subset = fc.constantFrom(['tick'], ['incident'], ['tick', 'incident']) as fc.Arbitrary<KeptType[]>;
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), subset, (actions, types) => {
      const hub = hubWith({ kept: { events: 4, bytes: 10_000 }, unsentBytes: 200 });
      const published: KeptType[] = [];
      const seen: number[] = [];
      let [excused, lastEventId] = [0, undefined as string | undefined];
      let client = new FakeClient(hub, { types: new Set(types), room: 100 });
      const collect = (): void => {
        for (const { id, event } of client.events.splice(0)) {
          const number = Number(id.split('-')[1]);
          if (event === 'gap') excused = number;
          else seen.push(number);
          lastEventId = id;
        }
      };
      for (const step of actions) {
        if ('publish' in step) published.push(step.publish);
        if ('publish' in step) hub.publish({ type: step.publish, data: {} });
        else if ('drain' in step && !client.isCut) client.drain(step.drain);
        else if (lastEventId !== undefined) {
          client.leave();
          client = new FakeClient(hub, { types: new Set(types), lastEventId, room: 100 });
        }
        collect();
      }
      if (!client.isCut) client.drain();
      collect();
      assert.deepEqual(
        seen,
        [...new Set(seen)].sort((a, b) => a - b),
      );
      const wanted = published.flatMap((type, index) => (types.includes(type) ? [index + 1] : []));
      const missing = wanted.filter((number) => !seen.includes(number) && number > excused);
      if (!client.isCut) assert.deepEqual(missing, []);
    }),
    { numRuns: cases(500) },
  );
});

test('a heartbeat goes on as long as somebody listens, and no longer', async () => {
  const clock = new HandClock();
  const hub = hubWith({ clock });
  let beats = 0;
  const write = (bytes: Uint8Array): boolean => {
    if (Buffer.from(bytes).toString().startsWith(':')) beats += 1;
    return true;
  };
  const seat = hub.join({ write, unsent: () => 0, cut: () => {} }, { types: both });
  await clock.pass(45);
  assert.equal(beats, 3);
  seat.leave();
  seat.leave();
  assert.equal(clock.timers, 0);
  await clock.pass(45);
  assert.equal(beats, 3);
});

/** A listener that takes every byte. */
const plainListener = (hub: StreamHub, types: readonly ('tick' | 'column')[], unsent = 0) => {
  const texts: string[] = [];
  hub.join(
    { write: (bytes) => texts.push(Buffer.from(bytes).toString()) > 0, unsent: () => unsent, cut: () => {} },
    { types: new Set(types) },
  );
  return texts;
};

test('an event that only the newest of counts is made for those who want it, has no id, and is not kept', () => {
  const hub = new StreamHub({ clock: new HandClock(), startedAt: epoch });
  let made = 0;
  const send = (): void =>
    hub.publishLive('column', () => {
      made += 1;
      return { number: made };
    });
  const ticks = plainListener(hub, ['tick']);
  send();
  assert.equal(made, 0, 'nobody wants it');
  const columns = plainListener(hub, ['tick', 'column']);
  const full = plainListener(hub, ['column'], 2 ** 30);
  send();
  assert.equal(made, 1, 'it is made once for all');
  assert.equal(columns.at(-1), 'event: column\ndata: {"number":1}\n\n');
  assert.deepEqual(
    [ticks.length, full.length],
    [1, 1],
    'whoever does not want it, or does not read, gets nothing',
  );
  assert.equal(plainListener(hub, ['column']).length, 1, 'who comes later does not get it');
});
