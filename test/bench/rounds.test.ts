import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from './configs.js';
import { loopNames, parseReading } from './loops.js';
import { orderOf, runRounds } from './rounds.js';

const configOf = (name: string): Config => ({
  name,
  title: name,
  group: 'daemon',
  start: { kind: 'nothing' },
});
const [a, b] = [configOf('a'), configOf('b')];

/** A machine that gets slower by 1 ns a reading, and by 10 ns while `a` runs. */
const machine = (failing: readonly string[] = [], noProof: readonly string[] = []) => {
  const log: string[] = [];
  let [readings, extra] = [0, 0];
  return {
    log,
    read: async () => {
      readings += 1;
      log.push('read');
      return new Map([['getppid', 100 + readings + extra]] as const);
    },
    start: async ({ name }: Config) => {
      if (failing.includes(name)) throw new Error(`${name} is not installed`);
      log.push(`start ${name}`);
      extra = name === 'a' ? 10 : 0;
      return {
        stop: async () => {
          log.push(`stop ${name}`);
          extra = 0;
          if (noProof.includes(name)) throw new Error(`${name} saw nothing`);
          return `${name} ran`;
        },
      };
    },
    say: () => {},
  };
};

test('each configuration is read between two readings without it', async () => {
  const { log, ...rest } = machine();
  await runRounds({ ...rest, configs: [a, b], rounds: 1 });
  assert.equal(log.join(', '), 'read, start a, read, stop a, read, start b, read, stop b, read');
});

test('a drift of the machine is taken out by the mean of the readings around', async () => {
  const { measured } = await runRounds({ ...machine(), configs: [a, b], rounds: 3 });
  for (const { on, off } of measured.get('a')?.pairs.get('getppid') ?? []) assert.equal(on - off, 10);
  for (const { on, off } of measured.get('b')?.pairs.get('getppid') ?? []) assert.equal(on - off, 0);
  assert.equal(measured.get('a')?.pairs.get('getppid')?.length, 3);
  assert.equal(measured.get('a')?.proof, 'a ran');
});

test('what does not start is not measured, and the reason is kept; the others are', async () => {
  const { measured, failures } = await runRounds({ ...machine(['a']), configs: [a, b], rounds: 5 });
  assert.equal(measured.has('a'), false);
  assert.deepEqual(
    failures.get('a'),
    ['a is not installed', 'a is not installed'],
    'tried twice and no more',
  );
  assert.equal(measured.get('b')?.pairs.get('getppid')?.length, 5);
});

test('what cannot prove that it saw events is not measured', async () => {
  const { measured, failures } = await runRounds({ ...machine([], ['b']), configs: [a, b], rounds: 1 });
  assert.equal(measured.has('b'), false);
  assert.deepEqual(failures.get('b'), ['b saw nothing']);
});

test('a loop that fails ends the configuration that was running', async () => {
  const { log, ...rest } = machine();
  let reads = 0;
  const read = async () => {
    reads += 1;
    if (reads === 2) throw new Error('no such loop');
    return rest.read();
  };
  await runRounds({ ...rest, read, configs: [a], rounds: 1 });
  assert.deepEqual(log.slice(0, 3), ['read', 'start a', 'stop a']);
});

test('each round begins with another one', () => {
  assert.deepEqual(orderOf([1, 2, 3], 0), [1, 2, 3]);
  assert.deepEqual(orderOf([1, 2, 3], 1), [2, 3, 1]);
  assert.deepEqual(orderOf([1, 2, 3], 5), [3, 1, 2]);
});

test('a line of the loops is a reading, and anything else an error', () => {
  assert.deepEqual([...parseReading('{"loop":"mmap","ns":1500.5}\n')], [['mmap', 1500.5]]);
  assert.throws(() => parseReading('{"loop":"mmap","ns":0}'), /bench-loops said/);
  assert.throws(() => parseReading('{"loop":"fsync","ns":3}'), /bench-loops said/);
  assert.equal(loopNames.length, 10);
});
