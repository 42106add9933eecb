/** Whatever comes by the pipe: nothing is thrown, what is not understood is counted, and the next tick is whole. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseLine } from '../../src/bpftrace/decode/json.js';
import type { TracerRecord } from '../../src/records.js';
import { cases } from '../support/depth.js';
import { collectGarbage } from '../support/garbage.js';
import { dialectOf, versions } from './goldens.js';
import { cut, mangledOutput } from './mangled.js';
import { outputOf } from './output.js';

const at = Date.UTC(2025, 5, 1);
const longest = 4096;
const dialects = versions.map(dialectOf);

const line = (type: string, data: unknown): string => `${JSON.stringify({ type, data })}\n`;
const goodTick = Buffer.from(
  [
    line('map', { '@waits': { '4,0,11': 3, '2,0,-1': 1 } }),
    line('map', { '@wait_ns': { '4,0,11': 4500, '2,0,-1': 9007199254740991 } }),
    line('map', { '@process_waits': { '32493186067555442,0,1,4': 3 } }),
    line('map', { '@waiting': { '246': [4_000_000_000, 0, 4] } }),
    line('hist', { '@wait_us': { '4': [{ min: 16, max: 31, count: 3 }] } }),
    line('printf', 'tick 5000000000\n'),
  ].join(''),
);
/** Ends a line that is under way, and the tick. */
const endOfTick = Buffer.from(`\n${line('printf', 'tick 1\n')}`);

/** Without times: a line that is whole may tell a kernel time that is none, and those after it are held against it. */
const textOf = (records: readonly TracerRecord[]): string =>
  JSON.stringify(records.map(({ at: _, ...record }) => record));

const expected = dialects.map((dialect) => {
  const output = outputOf(dialect, at, longest);
  output.push(goodTick);
  return textOf(output.records());
});

/** Of lines that are meant as JSON, how many are none, or are too long: reckoned without the decoder. */
const brokenLines = (bytes: Buffer): number =>
  bytes
    .toString('latin1')
    .split('\n')
    .filter((text) => {
      if (text.length > longest) return true;
      if (!text.startsWith('{') || text.trimEnd() === '{') return false;
      try {
        // Not a rounded integer: that alone is no damage.
        JSON.parse(Buffer.from(text, 'latin1').toString('utf8'));
        return false;
      } catch {
        return true;
      }
    }).length;

/** Seconds are computed; below the range of a histogram the floor is -Infinity. */
const fractions = /\.(?:seconds|floorMicroseconds)$/;

/** Every number in a record counts something, at any depth. */
const assertNumbers = (value: unknown, path: string): void => {
  if (typeof value === 'number')
    assert.ok(fractions.test(path) ? !Number.isNaN(value) : Number.isInteger(value), `${path} is ${value}`);
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value)) assertNumbers(inner, `${path}.${key}`);
};

test('damaged outputs: none throws, damage is counted, and the next tick is whole', (context) => {
  const runs = cases(10_000);
  const shares = fc.array(fc.nat(65_535), { maxLength: 3 });
  const dialect = fc.nat(dialects.length - 1);
  let damaged = 0;
  fc.assert(
    fc.property(mangledOutput, shares, dialect, (bytes, cuts, index) => {
      const output = outputOf(dialects[index]!, at, longest);
      for (const chunk of cut(Buffer.concat([bytes, endOfTick]), cuts)) output.push(chunk);
      const records = output.records();
      const undecodable = records.filter(({ kind }) => kind === 'undecodable').length;
      const broken = brokenLines(bytes);
      assert.ok(undecodable >= broken, `${broken} broken lines, ${undecodable} counted`);
      assert.ok(records.some(({ kind }) => kind === 'tick'));
      assertNumbers(records, 'records');
      for (const chunk of cut(goodTick, cuts)) output.push(chunk);
      assert.equal(textOf(output.records()), expected[index]);
      if (broken > 0) damaged += 1;
    }),
    { numRuns: runs },
  );
  context.diagnostic(JSON.stringify({ runs, damaged }));
  assert.ok(damaged > runs * 0.3, `only ${damaged} of ${runs} outputs were damaged`);
});

test('one stream of 20,000 damaged outputs leaves nothing in memory', () => {
  const outputs = fc.sample(mangledOutput, { numRuns: 2000, seed: 1 });
  const output = outputOf(dialects[0]!, at, longest);
  const pass = (): void => {
    for (const bytes of outputs) {
      output.push(bytes);
      output.push(Buffer.from('\n'));
      output.records();
    }
  };
  const heap = (): number => {
    collectGarbage();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  pass();
  const before = heap();
  for (let count = 1; count < 10; count += 1) pass();
  const grown = heap() - before;
  assert.ok(grown < 4 * 1024 * 1024, `${grown} bytes more after 18,000 further outputs`);
});

test('a long number that begins with 0 is no JSON, whoever reads it', () => {
  assert.throws(() => parseLine('{"min":0461168601842738790}'), SyntaxError);
  assert.doesNotThrow(() => parseLine('{"min":4611686018427387904}'));
});
