import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MmaplockError } from '../../src/errors.js';
import { parseBtf } from '../../src/kernel/btf.js';
import { BtfBuilder } from './btf-builder.js';

const malformed = (pattern: RegExp) => (error: unknown) =>
  error instanceof MmaplockError && error.code === 'btf_malformed' && pattern.test(error.message);

/** struct outer { int first; union { struct { long deep; }; int shallow; }; inner_t nested; struct outer *next; int array[4]; } */
function nested(): BtfBuilder {
  const btf = new BtfBuilder();
  const int = btf.int('int', 4);
  const long = btf.int('long', 8);
  const anonymousStruct = btf.struct('', 8, [['deep', long, 0]]);
  const anonymousUnion = btf.struct(
    '',
    8,
    [
      ['', anonymousStruct, 0],
      ['shallow', int, 0],
    ],
    { kind: 5 },
  );
  const inner = btf.struct('inner', 16, [
    ['pad', long, 0],
    ['value', long, 64],
  ]);
  const typedef = btf.type(8, 'inner_t', inner);
  const constant = btf.type(10, '', typedef);
  const pointer = btf.type(2, '', inner);
  const array = btf.type(3, '', 0, [inner, int, 4]);
  btf.struct('outer', 112, [
    ['first', int, 0],
    ['', anonymousUnion, 64],
    ['nested', constant, 128],
    ['next', pointer, 256],
    ['array', array, 320],
  ]);
  return btf;
}

test('offsets pass anonymous members, nested structs, typedefs and qualifiers', () => {
  const btf = parseBtf(nested().build());
  assert.equal(btf.memberOffset('outer', 'first'), 0);
  assert.equal(btf.memberOffset('outer', 'deep'), 8);
  assert.equal(btf.memberOffset('outer', 'shallow'), 8);
  assert.equal(btf.memberOffset('outer', 'nested'), 16);
  assert.equal(btf.memberOffset('outer', 'nested.value'), 24);
  assert.equal(btf.memberOffset('outer', 'array'), 40);
  assert.equal(btf.structSize('outer'), 112);
  assert.equal(btf.structSize('inner'), 16);
});

test('what is not there is undefined: unknown names, members behind pointers and arrays, odd paths', () => {
  const btf = parseBtf(nested().build());
  for (const path of [
    'missing',
    'next.value',
    'array.value',
    'first.x',
    'nested.',
    '.nested',
    '',
    'nested..value',
  ]) {
    assert.equal(btf.memberOffset('outer', path), undefined, path);
    assert.equal(btf.hasMember('outer', path), false, path);
  }
  assert.equal(btf.memberOffset('inner_t', 'value'), undefined, 'a typedef is not a tag');
  assert.equal(btf.hasStruct('missing'), false);
  assert.equal(btf.hasStruct(''), false, 'anonymous types have no tag');
  assert.equal(btf.structSize('missing'), undefined);
  assert.equal(btf.hasFunction('missing'), false);
  assert.equal(btf.functionParameters('missing'), undefined);
});

test('a blob at an odd address reads the same', () => {
  const blob = nested().build();
  const shifted = Buffer.alloc(blob.length + 1);
  blob.copy(shifted, 1);
  assert.equal(parseBtf(shifted.subarray(1)).memberOffset('outer', 'nested.value'), 24);
});

test('released, it gives its memory back where Node can, and answers no more', () => {
  const text = nested().build();
  const blob = Buffer.alloc(text.length);
  text.copy(blob);
  const btf = parseBtf(blob);
  assert.equal(btf.hasStruct('outer'), true);
  btf.release();
  assert.equal(blob.length, 'transfer' in ArrayBuffer.prototype ? 0 : text.length);
  assert.throws(() => btf.hasStruct('outer'), /after release/);
});

test('a blob that shares its memory with others leaves it to them', () => {
  const text = nested().build();
  const memory = Buffer.alloc(text.length + 8, 7);
  text.copy(memory, 8);
  parseBtf(memory.subarray(8)).release();
  assert.equal(memory[0], 7);
});

test('a longer header than known is skipped', () => {
  const blob = nested().build();
  const longer = Buffer.concat([blob.subarray(0, 24), Buffer.alloc(8), blob.subarray(24)]);
  longer.set(new Uint8Array(new Uint32Array([32]).buffer), 4);
  assert.equal(parseBtf(longer).memberOffset('outer', 'nested.value'), 24);
});

test('bitfields are members without an offset, in both encodings', () => {
  const btf = new BtfBuilder();
  const int = btf.int('int', 4);
  const threeBits = btf.int('', 4, 3);
  btf.struct(
    'flagged',
    8,
    [
      ['bits', int, (3 << 24) | 8],
      ['whole', int, 32],
    ],
    { flag: true },
  );
  btf.struct('plain', 12, [
    ['bits', threeBits, 0],
    ['unaligned', int, 3],
    ['whole', int, 64],
  ]);
  const parsed = parseBtf(btf.build());
  for (const [tag, path] of [
    ['flagged', 'bits'],
    ['plain', 'bits'],
    ['plain', 'unaligned'],
  ] as const) {
    assert.equal(parsed.memberOffset(tag, path), undefined, `${tag}.${path}`);
    assert.equal(parsed.hasMember(tag, path), true, `${tag}.${path}`);
  }
  assert.equal(parsed.memberOffset('flagged', 'whole'), 4);
  assert.equal(parsed.memberOffset('plain', 'whole'), 8);
});

test('of several structs with one tag the first that has the path answers', () => {
  const btf = new BtfBuilder();
  const int = btf.int('int', 4);
  btf.type(7, 'twice', 0);
  btf.struct('twice', 4, [['both', int, 0]]);
  btf.struct('twice', 8, [
    ['second', int, 0],
    ['both', int, 32],
  ]);
  btf.type(7, 'forward', 0);
  const parsed = parseBtf(btf.build());
  assert.equal(parsed.memberOffset('twice', 'both'), 0);
  assert.equal(parsed.memberOffset('twice', 'second'), 0);
  assert.equal(parsed.structSize('twice'), 4);
  assert.equal(parsed.hasStruct('forward'), false, 'a forward declaration is no definition');
});

test('parameter types read as C', () => {
  const btf = new BtfBuilder();
  const int = btf.int('int', 4);
  const char = btf.int('char', 1);
  const file = btf.struct('file', 8, []);
  const forward = btf.type(7, 'opaque', 0, [], { flag: true });
  const pointer = (to: number) => btf.type(2, '', to);
  const constant = (of: number) => btf.type(10, '', of);
  const tagged = btf.type(18, 'user', char);
  const callback = btf.type(13, '', int, [btf.string('data'), pointer(0)], { vlen: 1 });
  const nothing = btf.type(13, '', 0);
  const array = btf.type(3, '', 0, [int, int, 4]);
  const types = [
    pointer(file),
    pointer(constant(char)),
    constant(pointer(char)),
    pointer(tagged),
    pointer(pointer(forward)),
    pointer(callback),
    pointer(nothing),
    pointer(array),
    array,
    btf.type(8, 'size_t', int),
    btf.type(6, 'mode', 4),
    btf.struct('', 4, []),
  ];
  const proto = btf.type(
    13,
    '',
    0,
    [...types.flatMap((type, index) => [btf.string(`p${index}`), type]), 0, 0],
    {
      vlen: types.length + 1,
    },
  );
  btf.type(12, 'function', proto);
  btf.type(12, 'none', nothing);
  const parsed = parseBtf(btf.build());
  assert.deepEqual(
    parsed.functionParameters('function')?.map(({ type }) => type),
    [
      'struct file *',
      'const char *',
      'char *const',
      'char *',
      'union opaque **',
      'int (*)(void *)',
      'void (*)(void)',
      'int (*)[4]',
      'int[4]',
      'size_t',
      'enum mode',
      'struct (anonymous)',
      '...',
    ],
  );
  assert.equal(parsed.functionParameters('function')?.[0]?.name, 'p0');
  assert.deepEqual(parsed.functionParameters('none'), []);
  assert.equal(parsed.hasFunction('none'), true);
});

test('a struct that contains itself is refused', () => {
  const btf = new BtfBuilder();
  btf.struct('self', 8, [['', 1, 0]]);
  const parsed = parseBtf(btf.build());
  assert.throws(() => parsed.memberOffset('self', 'x'), malformed(/contains itself/));
});

test('a search through anonymous members that multiply ends at once', () => {
  const btf = new BtfBuilder();
  // Each level holds the next one 16 times: 16^40 paths lead to the bottom.
  for (let level = 1; level <= 40; level += 1) {
    btf.struct(
      level === 1 ? 'wide' : '',
      8,
      Array.from({ length: 16 }, () => ['', level + 1, 0]),
    );
  }
  btf.struct('', 8, [['bottom', 0, 0]]);
  const parsed = parseBtf(btf.build());
  assert.equal(parsed.memberOffset('wide', 'absent'), undefined);
  assert.equal(parsed.memberOffset('wide', 'bottom'), 0);
});

test('anonymous members nested without end are refused', () => {
  const btf = new BtfBuilder();
  for (let level = 1; level <= 20_000; level += 1)
    btf.struct(level === 1 ? 'deep' : '', 8, [['', level + 1, 0]]);
  btf.struct('', 8, []);
  const parsed = parseBtf(btf.build());
  assert.throws(() => parsed.hasMember('deep', 'x'), malformed(/without end/));
});

test('cycles of typedefs, pointers and prototypes are refused', () => {
  const btf = new BtfBuilder();
  const typedef = btf.type(8, 'a', 2);
  btf.type(8, 'b', 1);
  btf.struct('holder', 8, [['member', typedef, 0]]);
  const pointer = btf.type(2, '', 4);
  const proto = btf.type(13, '', 0, [0, pointer], { vlen: 1 });
  btf.type(12, 'by_pointer', proto);
  const recursive = btf.type(13, '', 0, [0, 7, 0, 7], { vlen: 2 });
  btf.type(12, 'by_proto', recursive);
  btf.type(12, 'no_proto', typedef);
  const parsed = parseBtf(btf.build());
  assert.throws(() => parsed.memberOffset('holder', 'member.x'), malformed(/no end/));
  assert.throws(() => parsed.functionParameters('by_pointer'), malformed(/no end/));
  assert.throws(() => parsed.functionParameters('by_proto'), malformed(/no end/));
  assert.throws(() => parsed.functionParameters('no_proto'), malformed(/no prototype/));
});

test('references to types and strings that do not exist are refused', () => {
  const btf = new BtfBuilder();
  const int = btf.int('int', 4);
  btf.struct('dangling', 8, [['member', 999, 0]]);
  btf.type(4, 'nameless', 8, [0xffff, int, 0], { vlen: 1 });
  const parsed = parseBtf(btf.build());
  assert.throws(() => parsed.memberOffset('dangling', 'member.x'), malformed(/type id 999/));
  assert.throws(() => parsed.memberOffset('nameless', 'x'), malformed(/string offset/));
});

test('a kind of a later kernel ends what is known, and voids nothing before it', () => {
  const btf = new BtfBuilder();
  const int = btf.int('int', 4);
  btf.struct('before', 8, [
    ['known', int, 32],
    ['late', 5, 0],
  ]);
  btf.type(20, 'of tomorrow', 0, [1, 2, 3]);
  btf.struct('behind', 8, [['x', int, 0]]);
  const parsed = parseBtf(btf.build());
  assert.deepEqual(parsed.unknown, { id: 3, kind: 20 });
  assert.equal(parsed.memberOffset('before', 'known'), 4);
  assert.equal(parsed.hasStruct('behind'), false);
  assert.throws(() => parsed.memberOffset('before', 'late.x'), { code: 'btf_unknown_kind' });
  assert.equal(parseBtf(nested().build()).unknown, undefined);
});

test('a damaged header is refused with what is wrong', () => {
  const edited = (edit: (blob: Buffer) => void): Buffer => {
    const blob = nested().build();
    edit(blob);
    return blob;
  };
  const cases: [Buffer, RegExp][] = [
    [Buffer.alloc(0), /too few/],
    [Buffer.from('not BTF at all, but long enough'), /magic/],
    [edited((blob) => blob.subarray(0, 2).reverse()), /byte order/],
    [edited((blob) => blob.writeUInt8(2, 2)), /version 2/],
    [edited((blob) => blob.fill(0, 4, 8)), /header length/],
    [edited((blob) => blob.fill(0xff, 12, 16)), /truncated: the type section/],
    [edited((blob) => blob.fill(0xff, 20, 24)), /truncated: the string section/],
    [edited((blob) => blob.fill(0x41, blob.length - 1)), /NUL/],
    [edited((blob) => blob.fill(0x7f, 28, 32)), /unknown kind/],
    [edited((blob) => blob.fill(0xff, 24, 28)), /outside the string section/],
  ];
  for (const [blob, pattern] of cases)
    assert.throws(() => parseBtf(blob), malformed(pattern), String(pattern));
});

test('every truncation of a small BTF is refused', () => {
  const blob = nested().build();
  for (let length = 0; length < blob.length; length += 1) {
    assert.throws(() => parseBtf(blob.subarray(0, length)), malformed(/./), `${length} bytes`);
  }
});
