import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { openApp, problemOf } from '../../support/app.js';
import { FakeDaemon } from '../../support/daemon.js';
import { type Block, StreamReader, serve } from '../../support/stream.js';

const publish = (daemon: FakeDaemon, ...numbers: readonly number[]): void => {
  for (const number of numbers) daemon.stream.publish({ type: 'tick', data: { number } });
};

const dataOf = (blocks: readonly Block[]): unknown[] => blocks.map(({ data }) => JSON.parse(data ?? 'null'));

/** Opens a stream that is left after the test, and skips what every stream begins with. */
const listenTo = async (
  context: TestContext,
  url: string,
  options?: Parameters<typeof StreamReader.open>[1],
): Promise<StreamReader> => {
  const reader = await StreamReader.open(url, options);
  context.after(() => reader.leave());
  assert.equal((await reader.next()).retry, '3000');
  return reader;
};

/** Waits until something that comes without an event of its own has come. */
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await turn();
};

test('a stream: what to do when it breaks first, then events as they happen, with ids that go up', async (context) => {
  const daemon = new FakeDaemon();
  const { url } = await serve(context, daemon);
  publish(daemon, 0);
  const reader = await StreamReader.open(url);
  context.after(() => reader.leave());
  const { statusCode, headers } = reader.answer;
  assert.equal(statusCode, 200);
  assert.equal(headers['content-type'], 'text/event-stream');
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(headers['x-accel-buffering'], 'no');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['content-encoding'], undefined);
  const first = await reader.next();
  assert.deepEqual(Object.keys(first), ['retry', 'id'], 'no event: it begins with what happens from now on');
  assert.equal(first.retry, '3000');
  publish(daemon, 1, 2);
  daemon.stream.publish({ type: 'incident', data: { sentence: 'a\nb' } });
  const blocks = await reader.take(3);
  assert.deepEqual(
    blocks.map(({ event }) => event),
    ['tick', 'tick', 'incident'],
  );
  assert.deepEqual(dataOf(blocks), [{ number: 1 }, { number: 2 }, { sentence: 'a\nb' }]);
  const [start] = (first.id ?? '').split('-');
  assert.deepEqual(
    [first, ...blocks].map(({ id }) => id),
    [1, 2, 3, 4].map((number) => `${start}-${number}`),
  );
});

test('only the types that were asked for', async (context) => {
  const daemon = new FakeDaemon();
  const { url } = await serve(context, daemon);
  const reader = await listenTo(context, url, { query: '?types=incident' });
  publish(daemon, 1);
  daemon.stream.publish({ type: 'incident', data: {} });
  assert.equal((await reader.next()).event, 'incident');
});

for (const types of ['', 'ticks', 'tick,', 'tick,,incident', 'tick incident', 'gap', 'Tick'])
  test(`types=${types} is refused, and the types that exist are named`, async (context) => {
    const { ask } = await openApp(context);
    const answer = await ask(`/api/v1/stream?types=${types}`);
    const { field, detail } = problemOf(answer, 400, 'invalid_parameter');
    assert.equal(field, 'types');
    assert.match(detail, /tick, incident/);
  });

test('an unknown parameter, a repeated one, another method and a listener for metrics are refused', async (context) => {
  const { ask } = await openApp(context);
  problemOf(await ask('/api/v1/stream?type=tick'), 400, 'unknown_parameter');
  assert.equal(
    problemOf(await ask('/api/v1/stream?types=tick&types=tick'), 400, 'invalid_parameter').field,
    'types',
  );
  problemOf(await ask('/api/v1/stream', { method: 'POST' }), 405, 'method_not_allowed');
  problemOf(await ask('/api/v1/stream', { headers: { host: 'evil.example' } }), 421, 'host_not_allowed');
  const metrics = await openApp(context, new FakeDaemon(), 'metrics');
  problemOf(await metrics.ask('/api/v1/stream'), 404, 'not_found');
});

test('HEAD tells the type and takes no place', async (context) => {
  const daemon = new FakeDaemon();
  const { ask } = await openApp(context, daemon);
  for (let time = 0; time < 20; time++) {
    const answer = await ask('/api/v1/stream', { method: 'HEAD' });
    assert.equal(answer.statusCode, 200);
    assert.match(String(answer.headers['content-type']), /^text\/event-stream/);
  }
  assert.equal(daemon.clock.timers, 0);
});

test('who comes back with the id it saw last gets what it missed, and nothing twice', async (context) => {
  const daemon = new FakeDaemon();
  const { url } = await serve(context, daemon);
  const before = await listenTo(context, url);
  publish(daemon, 1, 2, 3);
  const { id } = (await before.take(2)).at(-1) as Block;
  before.leave();
  publish(daemon, 4);
  const after = await listenTo(context, url, { lastEventId: id });
  publish(daemon, 5);
  assert.deepEqual(dataOf(await after.take(3)), [{ number: 3 }, { number: 4 }, { number: 5 }]);
});

test('who lost its connection before the first event misses nothing either', async (context) => {
  const daemon = new FakeDaemon();
  const { url } = await serve(context, daemon);
  publish(daemon, 1);
  const before = await StreamReader.open(url);
  const { id } = await before.next();
  before.leave();
  publish(daemon, 2);
  const after = await listenTo(context, url, { lastEventId: id });
  assert.deepEqual(dataOf([await after.next()]), [{ number: 2 }]);
});

test('who comes back after the daemon started again is told of the gap, and gets what there is', async (context) => {
  const daemon = new FakeDaemon();
  const { url } = await serve(context, daemon);
  publish(daemon, 1, 2);
  for (const lastEventId of ['another-1', 'nonsense', '-', 'x'.repeat(5000)]) {
    const reader = await listenTo(context, url, { lastEventId });
    const [gap, ...events] = await reader.take(3);
    assert.equal(gap?.event, 'gap');
    assert.deepEqual(dataOf([gap as Block]), [{ reason: 'other_start' }]);
    assert.deepEqual(dataOf(events), [{ number: 1 }, { number: 2 }]);
  }
});

test('who was away for too long is told of the gap once: its id is one to come back with', async (context) => {
  const daemon = new FakeDaemon();
  const { url } = await serve(context, daemon);
  const before = await StreamReader.open(url);
  const { id } = await before.next();
  before.leave();
  publish(daemon, ...Array.from({ length: 601 }, (_, index) => index));
  const reader = await listenTo(context, url, { lastEventId: id });
  const [gap, ...events] = await reader.take(601);
  assert.deepEqual(dataOf([gap as Block]), [{ reason: 'too_old' }]);
  assert.deepEqual(
    dataOf(events),
    Array.from({ length: 600 }, (_, index) => ({ number: index + 1 })),
  );
  const again = await listenTo(context, url, { lastEventId: gap?.id });
  assert.deepEqual(dataOf([await again.next()]), [{ number: 1 }]);
});

test('at most 16 listen; the 17th is told when to try again, and gets the place of one that left', async (context) => {
  const daemon = new FakeDaemon();
  const { url } = await serve(context, daemon);
  const readers = await Promise.all(Array.from({ length: 16 }, () => listenTo(context, url)));
  const refused = await fetch(`${url}/api/v1/stream`);
  assert.equal(refused.status, 503);
  assert.match(String(refused.headers.get('content-type')), /^application\/problem\+json\b/);
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  const { code, fix } = (await refused.json()) as { code: string; fix: string };
  assert.equal(code, 'too_many_streams');
  assert.ok(fix.length > 0);
  publish(daemon, 1);
  for (const reader of readers) assert.deepEqual(dataOf([await reader.next()]), [{ number: 1 }]);
  readers[0]?.leave();
  await until(() => !daemon.stream.full);
  await listenTo(context, url);
});

test('who does not read is cut; the others get every event', async (context) => {
  const daemon = new FakeDaemon();
  const { url } = await serve(context, daemon);
  const slow = connect(Number(new URL(url).port), '127.0.0.1');
  context.after(() => slow.destroy());
  slow.write('GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(slow, 'data');
  slow.pause();
  const reader = await listenTo(context, url);
  const padding = 'x'.repeat(100_000);
  let count = 0;
  // The kernel takes some megabytes before anything is left unsent.
  while (daemon.stream.listening === 2) {
    assert.ok(count < 1000, 'it is cut in the end');
    daemon.stream.publish({ type: 'tick', data: { number: count, padding } });
    assert.deepEqual(dataOf([await reader.next()]), [{ number: count, padding }]);
    count += 1;
  }
  publish(daemon, count);
  assert.deepEqual(dataOf([await reader.next()]), [{ number: count }]);
  slow.on('error', () => {}).resume();
  await once(slow, 'close');
});

test('a comment every 15 s shows that it lives; without listeners nothing is to be done', async (context) => {
  const daemon = new FakeDaemon();
  const { url } = await serve(context, daemon);
  assert.equal(daemon.clock.timers, 0);
  const [first, second] = [await listenTo(context, url), await listenTo(context, url)];
  await daemon.clock.pass(14.9);
  publish(daemon, 1);
  await daemon.clock.pass(0.1);
  await daemon.clock.pass(15);
  for (const reader of [first, second]) {
    const [event, ...beats] = await reader.take(3);
    assert.equal(event?.event, 'tick');
    assert.deepEqual(beats, [{ '': '' }, { '': '' }]);
  }
  first.leave();
  second.leave();
  await until(() => daemon.clock.timers === 0);
});

test('when the listener closes, streams end at once, also those of clients that do not read', async (context) => {
  const daemon = new FakeDaemon({ stream: { unsentBytes: Number.POSITIVE_INFINITY } });
  const { app, url } = await serve(context, daemon);
  const reader = await listenTo(context, url);
  const stuck = connect(Number(new URL(url).port), '127.0.0.1');
  stuck.on('error', () => {});
  stuck.write('GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(stuck, 'data');
  stuck.pause();
  const padding = 'x'.repeat(100_000);
  // More than the kernel takes.
  for (let count = 0; count < 160; count++) {
    daemon.stream.publish({ type: 'tick', data: { padding } });
    await reader.next();
  }
  publish(daemon, 1);
  await app.close();
  assert.deepEqual(dataOf([await reader.next()]), [{ number: 1 }], 'what was sent arrives');
  await assert.rejects(reader.next(), /the stream has ended/);
  assert.equal(await reader.ended, true, 'in order');
  assert.equal(daemon.clock.timers, 0);
  stuck.resume();
  await once(stuck, 'close');
});

test('the time in which a request must have come does not end a stream', async (context) => {
  const daemon = new FakeDaemon();
  // 30 s in small; Node looks at the connections at an interval, 30 s as well.
  const { url } = await serve(context, daemon, ({ server }) => {
    Object.assign(server, { requestTimeout: 50, headersTimeout: 50, connectionsCheckingInterval: 10 });
  });
  const reader = await listenTo(context, url);
  const half = connect(Number(new URL(url).port), '127.0.0.1');
  half.write('GET / HTTP/1.1\r\nHost: local');
  const [answer] = (await once(half, 'data')) as [Buffer];
  assert.match(
    answer.toString(),
    /^HTTP\/1\.1 408 /,
    'the time is over for what came no sooner than the stream',
  );
  publish(daemon, 1);
  assert.deepEqual(dataOf([await reader.next()]), [{ number: 1 }]);
});
