/** Whatever stands in a BTF blob: each question has an answer or a coded error, in bounded time and memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MmaplockError } from '../../src/errors.js';
import { type Btf, parseBtf } from '../../src/kernel/btf.js';
import { cases } from '../support/depth.js';
import { collectGarbage } from '../support/garbage.js';
import { BtfBuilder } from './btf-builder.js';

/** Every kind of type, references between them, anonymous members, bitfields and functions. */
const sample = (): Buffer => {
  const btf = new BtfBuilder();
  const int = btf.int('int', 4);
  const inner = btf.struct('inner', 8, [
    ['a', int, 0],
    ['b', int, 32],
  ]);
  const anonymous = btf.struct('', 8, [['deep', inner, 0]], { kind: 5 });
  const typedef = btf.type(8, 'inner_t', inner);
  const pointer = btf.type(2, '', btf.type(10, '', btf.type(9, '', typedef)));
  const array = btf.type(3, '', 0, [pointer, int, 4]);
  btf.struct(
    'outer',
    64,
    [
      ['', anonymous, 0],
      ['nested', typedef, 64],
      ['bits', int, (3 << 24) | 128],
      ['next', btf.type(11, '', pointer), 192],
      ['array', array, 256],
    ],
    { flag: true },
  );
  const callback = btf.type(13, '', int, [0, pointer, 0, 0], { vlen: 2 });
  const proto = btf.type(13, '', 0, [btf.string('arg'), btf.type(2, '', callback), btf.string('n'), array], {
    vlen: 2,
  });
  btf.type(12, 'function', proto);
  btf.type(6, 'choice', 4, [btf.string('ONE'), 1], { vlen: 1 });
  btf.type(19, 'wide', 8, [btf.string('TWO'), 2, 0], { vlen: 1 });
  btf.type(7, 'later', 0);
  btf.type(16, 'double', 8);
  btf.type(17, 'tag', inner, [0]);
  btf.type(18, 'user', int);
  btf.type(15, '.data', 4, [btf.type(14, 'variable', int, [0]), 0, 4], { vlen: 1 });
  return btf.build();
};

const whole = sample();
const tags = ['outer', 'inner', 'choice', 'later', 'inner_t', ''];
const paths = ['nested.b', 'deep.a', 'bits', 'next.a', 'array', 'a'];
const functions = ['function', 'outer', ''];

/** All the questions there are; each answer is counted. */
const askAll = (btf: Btf): void => {
  const ask = (question: () => unknown): void => {
    try {
      question();
    } catch (error) {
      // Damage may look like a kind of a later kernel, behind which nothing is known.
      const codes = btf.unknown === undefined ? ['btf_malformed'] : ['btf_malformed', 'btf_unknown_kind'];
      assert.ok(error instanceof MmaplockError && codes.includes(error.code), String(error));
    }
  };
  for (const tag of tags) {
    ask(() => btf.hasStruct(tag));
    ask(() => btf.structSize(tag));
    for (const path of paths) {
      ask(() => {
        const offset = btf.memberOffset(tag, path);
        if (offset !== undefined) assert.ok(Number.isInteger(offset) && offset >= 0, `${path} at ${offset}`);
      });
      ask(() => btf.hasMember(tag, path));
    }
  }
  for (const name of functions) ask(() => btf.functionParameters(name));
};

/** Undefined where it is refused, by its code. */
const parsed = (blob: Buffer): Btf | undefined => {
  try {
    return parseBtf(blob);
  } catch (error) {
    assert.ok(error instanceof MmaplockError && error.code === 'btf_malformed', String(error));
    return undefined;
  }
};

/** One edit: a byte or a word is replaced, the end is cut off, or a part is there twice. */
const edited = (blob: Buffer, at: number, kind: number, value: number): Buffer => {
  const place = at % blob.length;
  if (kind === 0) blob[place] = value;
  // Small words are ids, offsets and lengths that point somewhere.
  else if (kind <= 4)
    blob.writeUInt32LE(kind === 4 ? (value << 24) >>> 0 : value % 96, Math.min(place & ~3, blob.length - 4));
  else if (kind === 5) return blob.subarray(0, Math.max(4, place));
  else return Buffer.concat([blob.subarray(0, place), blob.subarray(Math.max(0, place - value))]);
  return blob;
};

const edits = fc.array(fc.tuple(fc.nat(65_535), fc.nat(6), fc.nat(255)), { minLength: 1, maxLength: 4 });
const mangled = edits.map((changes) =>
  changes.reduce<Buffer>((blob, [at, kind, value]) => edited(blob, at, kind, value), Buffer.from(whole)),
);
const noise = fc.uint8Array({ maxLength: 96 }).map((bytes) => Buffer.from(bytes));
/** Noise behind a header that is right. */
const headed = fc.uint8Array({ maxLength: 96 }).map((bytes) => {
  const words = bytes.length & ~3;
  const header = Buffer.alloc(24);
  header.writeUInt16LE(0xeb9f, 0);
  header[2] = 1;
  for (const [index, word] of [24, 0, words, words, 8].entries()) header.writeUInt32LE(word, 4 + index * 4);
  return Buffer.concat([header, bytes.subarray(0, words), Buffer.from('\0outer\0\0')]);
});

test('damaged blobs: an answer or a coded error', (context) => {
  const runs = cases(10_000);
  let read = 0;
  fc.assert(
    fc.property(
      fc.oneof(
        { weight: 8, arbitrary: mangled },
        { weight: 1, arbitrary: noise },
        { weight: 1, arbitrary: headed },
      ),
      (blob) => {
        const btf = parsed(blob);
        if (btf === undefined) return;
        read += 1;
        askAll(btf);
      },
    ),
    { numRuns: runs },
  );
  context.diagnostic(JSON.stringify({ runs, read }));
  assert.ok(read > runs * 0.1 && read < runs * 0.95, `${read} of ${runs} blobs could be read`);
});

test('a name that most types share the end of costs no more than the names of the kernel', () => {
  const btf = new BtfBuilder();
  const start = btf.string('x'.repeat(4_000_000));
  // struct btf_type by hand: the builder would write each name anew.
  const types = 50_000;
  const blob = btf.build();
  const strings = blob.subarray(24);
  const words = Buffer.alloc(types * 12);
  for (let index = 0; index < types; index += 1) {
    words.writeUInt32LE(start + index, index * 12);
    words.writeUInt32LE(4 << 24, index * 12 + 4);
  }
  const header = Buffer.from(blob.subarray(0, 24));
  for (const [index, word] of [0, words.length, words.length, strings.length].entries())
    header.writeUInt32LE(word, 8 + index * 4);
  const crafted = parsed(Buffer.concat([header, words, strings]));
  assert.ok(crafted !== undefined);
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  assert.equal(crafted.hasStruct('outer'), false);
  collectGarbage();
  const kept = process.memoryUsage().heapUsed - before;
  assert.ok(kept < 64 * 1024 * 1024, `${kept} bytes`);
});
