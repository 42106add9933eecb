import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Connection, Connections } from '../../../src/http/listen/connections.js';
import { Unsent } from '../../../src/http/listen/unsent.js';

/** A listener of which a test says what each client has not read; `cut` are those that were closed, in order. */
const listener = (limits: { ofAll?: number; ofOne?: number; waiting?: number; unsent?: Unsent } = {}) => {
  const { ofAll = 3, ofOne = ofAll, waiting = 2, unsent = new Unsent(100) } = limits;
  let now = 0;
  const cut: string[] = [];
  const served: string[] = [];
  const bytes = new Map<string, number>();
  const connections = new Connections({ ofAll, ofOne, waiting }, { now: () => now, unsent });
  return {
    connections,
    cut,
    served,
    bytes,
    /** A millisecond later. */
    come: (name: string, source = 'here'): Connection | undefined => {
      now += 1;
      const line = { unsent: () => bytes.get(name) ?? 0, cut: () => void cut.push(name) };
      return connections.take(source, line)?.connection;
    },
    ask: (connection: Connection | undefined, what: string): void => {
      now += 1;
      connections.ask(connection!, () => void served.push(what));
    },
  };
};

test('a request waits until the one before it is answered, and those of others do not', () => {
  const { connections, come, ask, served } = listener();
  const [a, b] = [come('a'), come('b')];
  ask(a, 'a1');
  ask(a, 'a2');
  ask(b, 'b1');
  assert.deepEqual(served, ['a1', 'b1']);
  connections.answered(a!);
  assert.deepEqual(served, ['a1', 'b1', 'a2']);
});

test('who asks for more than may wait is cut, and none of it is served', () => {
  const { connections, come, ask, served, cut } = listener({ waiting: 2 });
  const a = come('a');
  for (const what of ['a1', 'a2', 'a3', 'a4', 'a5']) ask(a, what);
  assert.deepEqual([served, cut], [['a1'], ['a']]);
  connections.answered(a!);
  assert.deepEqual(served, ['a1']);
});

test('a newcomer takes the seat of who does nothing longest, then of who does not read longest', () => {
  const { come, ask, cut, bytes, connections } = listener({ ofAll: 3 });
  const [reader, slow, idle] = [come('reader'), come('slow'), come('idle')];
  ask(reader, 'r');
  ask(slow, 's');
  bytes.set('slow', 10);
  assert.ok(come('d') !== undefined);
  assert.deepEqual(cut, ['idle']);
  assert.ok(come('e') !== undefined);
  assert.deepEqual(cut, ['idle', 'd']);
  const last = come('f');
  assert.deepEqual(cut, ['idle', 'd', 'e']);
  ask(last, 'f');
  assert.ok(come('g') !== undefined);
  assert.deepEqual(cut, ['idle', 'd', 'e', 'slow']);
  connections.leave(idle!);
});

test('who had an answer keeps its seat while another has never asked for anything', () => {
  const { connections, come, ask, cut } = listener({ ofAll: 2 });
  const prometheus = come('prometheus');
  ask(prometheus, 'metrics');
  connections.answered(prometheus!);
  for (const name of ['a', 'b', 'c']) come(name);
  assert.deepEqual(cut, ['a', 'b']);
});

test('who is served and reads keeps its seat: the newcomer gets none', () => {
  const { come, ask, cut } = listener({ ofAll: 2 });
  ask(come('a'), 'a');
  ask(come('b'), 'b');
  assert.equal(come('c'), undefined);
  assert.deepEqual(cut, []);
});

test('where one source has its part, its own give way', () => {
  const { come, cut } = listener({ ofAll: 4, ofOne: 2 });
  come('other', 'there');
  come('a');
  come('b');
  assert.ok(come('c') !== undefined);
  assert.deepEqual(cut, ['a']);
});

test('a seat that was left is free, also after it was taken away', () => {
  const { connections, come, cut } = listener({ ofAll: 1 });
  const a = come('a');
  const b = come('b');
  connections.leave(a!);
  connections.leave(b!);
  assert.ok(come('c') !== undefined);
  assert.deepEqual(cut, ['a']);
});

test('what all have unsent is bounded: who has not read longest is cut, on whatever listener', () => {
  const unsent = new Unsent(100);
  const [one, other] = [listener({ unsent }), listener({ unsent })];
  const [a, b] = [one.come('a'), one.come('b')];
  one.ask(a, 'a');
  one.ask(b, 'b');
  one.bytes.set('a', 60).set('b', 60);
  other.ask(other.come('c'), 'c');
  assert.deepEqual(one.cut, ['a']);
  assert.deepEqual(other.served, ['c']);
  one.connections.leave(a!);
  other.ask(other.come('d'), 'd');
  assert.deepEqual(one.cut, ['a']);
});

test('at the end those go that are not answered, and the others after their answer', () => {
  const { connections, come, ask, cut, served } = listener();
  const [a] = [come('a'), come('b')];
  ask(a, 'a1');
  ask(a, 'a2');
  connections.close();
  assert.deepEqual(cut, ['b']);
  connections.answered(a!);
  assert.deepEqual([cut, served], [['b', 'a'], ['a1']]);
});

test('at the very end all go', () => {
  const { connections, come, ask, cut } = listener();
  ask(come('a'), 'a');
  connections.close();
  connections.end();
  assert.deepEqual(cut, ['a']);
});
