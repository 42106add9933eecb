import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineSplitter } from '../../../src/bpftrace/process/splitter.js';
import { collectGarbage } from '../../support/garbage.js';

/** Everything a splitter says about these chunks, in order. */
const split = (chunks: readonly Uint8Array[], longest?: number): [string, string | number][] => {
  const said: [string, string | number][] = [];
  const splitter = new LineSplitter(
    {
      onLine: (line) => said.push(['line', line]),
      onOverlong: (bytes) => said.push(['overlong', bytes]),
      onTruncated: (bytes) => said.push(['truncated', bytes]),
    },
    longest,
  );
  for (const chunk of chunks) splitter.push(Buffer.from(chunk));
  splitter.end();
  return said;
};

const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');

test('lines without their newlines, empty ones too', () => {
  assert.deepEqual(split([bytes('one\n\ntwo\n')]), [
    ['line', 'one'],
    ['line', ''],
    ['line', 'two'],
  ]);
});

test('a character cut in two by a chunk border is whole', () => {
  const [first, second] = [
    bytes('caf\u00e9 \u{1f600}\n').subarray(0, 8),
    bytes('caf\u00e9 \u{1f600}\n').subarray(8),
  ];
  assert.deepEqual(split([first, second]), [['line', 'caf\u00e9 \u{1f600}']]);
});

test('a half line at the end is reported, not decoded', () => {
  assert.deepEqual(split([bytes('whole\nha'), bytes('lf')]), [
    ['line', 'whole'],
    ['truncated', 4],
  ]);
});

test('a line over the cap is dropped alone and reported once', () => {
  assert.deepEqual(split([bytes('ok\n12345'), bytes('678'), bytes('9\nfine\n')], 5), [
    ['line', 'ok'],
    ['overlong', 9],
    ['line', 'fine'],
  ]);
  assert.deepEqual(split([bytes('12345\n')], 5), [['line', '12345']]);
});

test('an endless line takes no memory: 512 MiB pass in pieces', () => {
  const lengths: number[] = [];
  const splitter = new LineSplitter({
    onLine: () => assert.fail('no line expected'),
    onOverlong: (n) => lengths.push(n),
  });
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 512; i++) splitter.push(Buffer.alloc(1024 * 1024, 'x'));
  assert.ok(process.memoryUsage().arrayBuffers - before < 256 * 1024 * 1024);
  splitter.push(bytes('\n'));
  assert.deepEqual(lengths, [512 * 1024 * 1024]);
});

test('a line that comes byte by byte takes no more than a few times its length', () => {
  const length = 1_000_000;
  const lines: number[] = [];
  const splitter = new LineSplitter({ onLine: (line) => lines.push(line.length), onOverlong: () => {} });
  const used = (): number => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  collectGarbage();
  const before = used();
  // Not from Node's pool: what comes by a pipe has memory of its own.
  for (let i = 0; i < length; i++) splitter.push(Buffer.alloc(1, 'x'));
  collectGarbage();
  const taken = used() - before;
  assert.ok(taken < 10 * length, `${taken} bytes for ${length}`);
  splitter.push(bytes('\n'));
  assert.deepEqual(lines, [length]);
});

test('how a stream is cut into chunks makes no difference', () => {
  const text = fc.array(fc.oneof(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.constant('\n')), {
    maxLength: 30,
  });
  const cuts = fc.array(fc.nat(200), { maxLength: 20 });
  fc.assert(
    fc.property(text, cuts, fc.integer({ min: 1, max: 20 }), (parts, offsets, longest) => {
      const whole = bytes(parts.join(''));
      const borders = [0, ...offsets.filter((at) => at < whole.length).sort((a, b) => a - b), whole.length];
      const chunks = borders.slice(1).map((end, i) => whole.subarray(borders[i], end));
      assert.deepEqual(split(chunks, longest), split([whole], longest));
    }),
  );
});

test('what is split is what string splitting gives', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme' }).map((line) => line.replaceAll('\n', ''))),
      (lines) => {
        const said = split([bytes(lines.map((line) => `${line}\n`).join(''))]);
        assert.deepEqual(
          said,
          lines.map((line) => ['line', line]),
        );
      },
    ),
  );
});
