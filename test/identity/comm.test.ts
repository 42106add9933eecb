import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytesOfName, escapeUnsafe, nameFromBytes, nameFromWords } from '../../src/identity/comm.js';

const name = (bytes: string | number[]): string => nameFromBytes(Buffer.from(bytes as string));

test('usual names stay as they are', () => {
  for (const text of [
    'bash',
    'kworker/0:1H',
    'Web Content',
    '(sd-pam)',
    'a,b=c"d',
    'a~b',
    'x\\y',
    'é日本',
    '🐧',
  ]) {
    assert.equal(name(text), text);
  }
});

test('the name ends at the first NUL', () => {
  assert.equal(name('bash\0rest of a longer'), 'bash');
  assert.equal(name('sixteen bytes!!!'), 'sixteen bytes!!!');
});

test('what could disturb a terminal, a log or a label is escaped byte by byte', () => {
  assert.equal(name('a\nb'), 'a\\x0ab');
  assert.equal(name('\x1b[31mred'), '\\x1b[31mred');
  assert.equal(name('\x7f\t\r'), '\\x7f\\x09\\x0d');
  assert.equal(name('\u009b31m'), '\\xc2\\x9b31m', 'the one-character control sequence introducer');
  assert.equal(name('\u202egnp'), '\\xe2\\x80\\xaegnp', 'text direction');
  assert.equal(name('a\u2028b'), 'a\\xe2\\x80\\xa8b');
  assert.equal(name('\ufeffa'), '\\xef\\xbb\\xbfa');
});

test('bytes that are no UTF-8 are escaped, the text around them stays', () => {
  assert.equal(name([0x61, 0xff, 0x62]), 'a\\xffb');
  assert.equal(name([0xc3, 0x28]), '\\xc3(');
  assert.equal(
    name([0xe6, 0x97, 0xa5, 0xe6, 0x97]),
    '日\\xe6\\x97',
    'a character cut off at the fifteenth byte',
  );
  assert.equal(name([0xc0, 0xaf]), '\\xc0\\xaf', 'overlong');
  assert.equal(name([0xed, 0xa0, 0x80]), '\\xed\\xa0\\x80', 'surrogate');
  assert.equal(name([0xf8, 0x88, 0x80, 0x80, 0x80]), '\\xf8\\x88\\x80\\x80\\x80');
});

test('reserved names cannot be taken by a process', () => {
  assert.equal(name('~other'), '\\x7eother');
  assert.equal(name('~'), '\\x7e');
  assert.equal(name(''), '\\x00');
  assert.equal(name('\\x7eother'), '\\x5cx7eother', 'a name that spells an escape is not what it spells');
});

test('two words give the bytes they have in memory, signed or not', () => {
  const bytes = Buffer.from('mysqld-\xffabcdef\0\0', 'latin1');
  const words = [bytes.readBigUInt64LE(0), bytes.readBigUInt64LE(8)] as const;
  assert.equal(nameFromWords(words[0], words[1], 'LE'), 'mysqld-\\xffabcdef');
  assert.equal(nameFromWords(bytes.readBigInt64LE(0), bytes.readBigInt64LE(8), 'LE'), 'mysqld-\\xffabcdef');
  assert.equal(nameFromWords(bytes.readBigInt64BE(0), bytes.readBigInt64BE(8), 'BE'), 'mysqld-\\xffabcdef');
  assert.equal(nameFromWords(0x68736162n, 0n, 'LE'), 'bash');
});

test('any bytes give a safe name, and different bytes different names', () => {
  const comm = fc
    .uint8Array({ minLength: 0, maxLength: 15 })
    .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0)));
  const hostile = fc
    .array(fc.constantFrom('\\', 'x', '7', 'e', '0', 'a', '~', '\n', 'é'), { maxLength: 7 })
    .map((parts) => Buffer.from(parts.join('')));
  const any = fc.oneof(comm, hostile);
  fc.assert(
    fc.property(any, any, (one, other) => {
      const text = nameFromBytes(one);
      assert.doesNotMatch(text, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufffd]|^~|^$/u);
      assert.equal(text === nameFromBytes(other), one.equals(other));
    }),
    { numRuns: 2000, seed: 20_241_122 },
  );
});

test('paths keep the escapes of systemd', () => {
  assert.equal(escapeUnsafe('/system.slice/a\\x2db.service'), '/system.slice/a\\x2db.service');
  assert.equal(escapeUnsafe('/a\x1b]0;b'), '/a\\x1b]0;b');
});

test('property: the bytes of a name are those it was made from, and give it again', () => {
  fc.assert(
    fc.property(fc.uint8Array({ min: 1, minLength: 1, maxLength: 15 }), (bytes) => {
      const given = nameFromBytes(Buffer.from(bytes));
      assert.deepEqual([...bytesOfName(given)], [...bytes]);
    }),
  );
});

test('a text that is no name gives bytes that have another', () => {
  for (const [text, given] of [
    ['~other', '\\x7eother'],
    ['\\x41', 'A'],
    ['a\nb', 'a\\x0ab'],
  ] as const)
    assert.equal(nameFromBytes(bytesOfName(text)), given);
});
