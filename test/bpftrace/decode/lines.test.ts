import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { type BpftraceLine, decodeLine } from '../../../src/bpftrace/decode/lines.js';
import { integerKey } from '../../../src/bpftrace/decode/text.js';
import { cases } from '../../support/depth.js';
import { decoded, dialectOf, goldenLines, type Version, versions } from '../goldens.js';

const recorded = dialectOf('0.27.0');
const dialects = versions.map(dialectOf);

/** What 0.17 to 0.27 print for statements and probes that no fragment may have, and for a division by 0. */
const unmade = [
  ...['stats', 'tseries', 'value', 'time', 'cat', 'join', 'syscall', 'print_error', 'runtime_error'],
  ...['errorf', 'warnf', 'test_result', 'benchmark_result', 'benchmark_results'],
];

type Of<Type extends BpftraceLine['type']> = Extract<BpftraceLine, { type: Type }>;

const ofType = <Type extends BpftraceLine['type']>(lines: BpftraceLine[], type: Type): Of<Type>[] =>
  lines.filter((line): line is Of<Type> => line.type === type);

/** Contents of every map but the recorder's own, keyed maps as objects. */
const contentsOf = (lines: BpftraceLine[], type: 'map' | 'hist'): Record<string, unknown> =>
  Object.fromEntries(
    ofType(lines, type)
      .filter(({ map }) => map !== '@ran')
      .map((line) => [line.map, line.keyed ? Object.fromEntries<unknown>(line.entries) : line.value]),
  );

const decodeJson = (value: unknown, dialect = recorded): BpftraceLine =>
  decodeLine(JSON.stringify(value), dialect);

test('every recorded line is understood, but the one that bpftrace itself gets wrong', () => {
  for (const version of versions) {
    const folder = new URL(`../../../../test/bpftrace/golden/${version}`, import.meta.url);
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.ndjson'))) {
      const name = file.replace('.ndjson', '');
      const bad = decoded(version, name).filter(({ type }) => type === 'unknown' || type === 'undecodable');
      // up to 0.21, strftime() as a value is not quoted
      const expected =
        version === '0.17.0' && name === 'unquoted-time' ? [['undecodable', 'not valid JSON']] : [];
      const seen = bad.map((line) => [line.type, line.type === 'undecodable' ? line.reason : line]);
      assert.deepEqual(seen, expected, `${version} ${name}`);
    }
  }
});

test('scalars mean the same in all versions, to the last bit', () => {
  for (const version of versions) {
    const { '@truth': truth, ...others } = contentsOf(decoded(version, 'scalars'), 'map');
    assert.deepEqual(others, {
      '@small': 5,
      '@negative': -5,
      '@big': 9007199254740993n,
      '@least': -9223372036854775807n,
      '@most': 18446744073709551615n,
      '@round': 1152921504606846976n,
      '@text': 'plain text',
      '@quoted': 'q"\\n',
      '@utf8': 'h\u00e9',
      '@digits': '1234567890123456',
      '@tuple': [1, [2, 'a b'], -3],
      '@count': 1,
      '@sum': 7,
      '@min': -2,
      '@max': 9,
    });
    assert.equal(truth, { '0.17.0': 1, '0.23.2': -1, '0.27.0': true }[version]);
  }
});

test('integer keys mean the same in all versions', () => {
  for (const version of versions) {
    const keys = (map: string, width: number) =>
      ofType(decoded(version, 'keyed'), 'map')
        .filter((line) => line.map === map)
        .flatMap((line) => (line.keyed ? [...line.entries] : []))
        .map(([key, value]) => [integerKey(key, width), value]);
    assert.deepEqual(keys('@one', 1), [
      [[7n], 1],
      [[-8n], 2],
    ]);
    assert.deepEqual(keys('@two', 2), [[[1n, -2n], 3]]);
    assert.deepEqual(keys('@three', 3), [[[1n, 2n, 3n], 4]]);
    assert.deepEqual(keys('@counts', 1), [[[5n], 1]]);
    assert.deepEqual(keys('@sums', 2), [[[5n, 6n], 8]]);
    assert.deepEqual(keys('@wide', 2), [[[-1n, 9007199254740993n], 5]]);
    assert.deepEqual(keys('@truths', 2), [[[1n, 0n], 6]]);
    assert.deepEqual(keys('@tuples', 1), [[[1n], [1, 'x']]]);
    assert.deepEqual(keys('@names', 1), [[[1234n], 'a b, (c)']]);
  }
});

test('a key of another width or kind is no integer key', () => {
  assert.equal(integerKey('1,2', 1), undefined);
  assert.equal(integerKey('1', 2), undefined);
  assert.equal(integerKey('bash', 1), undefined);
  assert.equal(integerKey('', 1), undefined);
  assert.equal(integerKey('1,', 2), undefined);
  assert.equal(integerKey('0x10', 1), undefined);
  assert.equal(integerKey('constructor', 1), undefined);
});

test('odd bytes in string keys come out as they were, where the version kept them', () => {
  for (const version of versions) {
    const { spacesInKeys, parenthesesInKeys } = dialectOf(version);
    assert.deepEqual(contentsOf(decoded(version, 'odd-keys'), 'map'), {
      '@space': { [spacesInKeys ? 'a b' : 'ab']: 1 },
      '@comma': { 'a,b,2': 1 },
      '@parentheses': { [parenthesesInKeys ? '(p)' : 'p']: 1 },
      '@quote': { 'q"\\': 1 },
      '@newline': { 'l\nm': 1 },
      '@utf8': { 'h\u00e9': 1 },
    });
  }
});

test('histograms have the same floors in all versions, up to where 0.17 stops telling apart', () => {
  for (const version of versions) {
    const capped = dialectOf(version).wideHist === 'capped';
    assert.deepEqual(contentsOf(decoded(version, 'hist'), 'hist'), {
      '@h': [
        { floor: Number.NEGATIVE_INFINITY, count: 1 },
        { floor: 0, count: 1 },
        { floor: 1, count: 1 },
        { floor: 2, count: 0 },
        { floor: 4, count: 1 },
      ],
      '@keyed': {
        '1,2': [
          { floor: 4, count: 1 },
          { floor: 8, count: 0 },
          { floor: 16, count: 1 },
        ],
        '3,4': [{ floor: 512, count: 1 }],
      },
      '@none': [],
      '@wide': [
        { floor: 2 ** 30, count: 1 },
        { floor: 2 ** 31, count: 1 },
      ],
      '@wider': [{ floor: capped ? 2 ** 31 : 2 ** 40, count: 1 }],
      '@widest': [{ floor: capped ? 2 ** 31 : 2n ** 62n, count: 1 }],
    });
  }
});

test('linear histograms are open at both ends', () => {
  for (const version of versions) {
    const { '@l': buckets, '@keyed': keyed } = contentsOf(decoded(version, 'lhist'), 'hist');
    assert.deepEqual(buckets, [
      { floor: Number.NEGATIVE_INFINITY, count: 1 },
      ...[0, 10, 20, 30, 40, 50, 60, 70, 80, 90].map((floor) => ({ floor, count: floor === 50 ? 1 : 0 })),
      { floor: 100, count: 1 },
    ]);
    assert.deepEqual(keyed, { 7: [{ floor: 50, count: 1 }] });
  }
});

test('what printf() wrote', () => {
  for (const version of versions)
    assert.deepEqual(ofType(decoded(version, 'text'), 'printf'), [
      { type: 'printf', text: 'tick 9007199254740993 "quoted" h\u00e9\n' },
    ]);
});

test('the number of probes, and the empty lines before the last maps', () => {
  const blanks: Record<Version, number> = { '0.17.0': 2, '0.23.2': 2, '0.27.0': 0 };
  for (const version of versions) {
    const lines = decoded(version, 'lost');
    assert.deepEqual(ofType(lines, 'attached_probes'), [{ type: 'attached_probes', probes: 1 }]);
    assert.equal(ofType(lines, 'blank').length, blanks[version], version);
  }
});

test('lost events are counted', () => {
  for (const version of versions) {
    const lost = ofType(decoded(version, 'lost'), 'lost_events').map(({ events }) => events);
    assert.ok(lost.length > 0 && lost.every((events) => events > 0), `${version}: ${lost}`);
  }
});

test('a full map names the helper and the place of the update', () => {
  for (const version of versions) {
    const errors = ofType(decoded(version, 'map-full'), 'helper_error');
    const [full] = errors.filter(({ helper }) => helper === 'map_update_elem');
    assert.equal(full?.status, -7);
    assert.equal(full?.line, 3);
    assert.equal(full?.message === undefined, version === '0.17.0');
    assert.equal(full?.file, version === '0.27.0' ? 'stdin' : undefined);
  }
});

test('warnings of the compiler on standard output, of 0.27, are plain lines', () => {
  const plain = ofType(decoded('0.27.0', 'scalars'), 'plain');
  assert.match(plain[0]!.text, /^stdin:\d+:\d+-\d+: WARNING: Unnecessary cast/);
});

test('hand-written, after the sources: shapes that no run here gives', () => {
  // a map of structs, 0.24+
  const structs = { '1': { pid: 1, none: null, flags: [true] } };
  assert.deepEqual(decodeJson({ type: 'map', data: { '@s': structs } }), {
    type: 'map',
    map: '@s',
    keyed: true,
    entries: new Map(Object.entries(structs)),
  });
  // strings of bpftrace are bytes: what is not UTF-8 becomes a replacement character
  assert.deepEqual(decodeLine('{"type": "printf", "data": "a\\uffffffffb"}', recorded), {
    type: 'printf',
    text: 'a\ufffdb',
  });
});

test('what is not understood says why, within bounds', () => {
  const reason = (line: BpftraceLine) => (line.type === 'undecodable' ? line.reason : line);
  assert.deepEqual(decodeJson({ type: 'novelty', data: 1 }), { type: 'unknown', typeName: 'novelty' });
  assert.equal(reason(decodeLine('{"type": "map", "data": {"@x": 18:56}}', recorded)), 'not valid JSON');
  assert.equal(reason(decodeJson({ data: 1 })), 'type is not a string');
  assert.equal(reason(decodeJson({ type: 'map', data: {} })), 'data holds 0 maps');
  assert.equal(reason(decodeJson({ type: 'map', data: { '@a': 1, '@b': 2 } })), 'data holds 2 maps');
  assert.equal(reason(decodeJson({ type: 'hist', data: { '@h': 5 } })), '@h is not an object');
  assert.equal(
    reason(decodeJson({ type: 'hist', data: { '@h': [{ min: 0 }] } })),
    'count is not a small integer',
  );
  assert.equal(
    reason(decodeJson({ type: 'lost_events', data: { events: '3' } })),
    'events is not a small integer',
  );
  assert.equal(
    reason(decodeLine(`{"type":"map","data":{"@x":${'['.repeat(50_000)}`, recorded)),
    'not valid JSON',
  );
  const depth = 200_000;
  const deep = `{"type": "map", "data": {"@x": ${'['.repeat(depth)}${']'.repeat(depth)}}}`;
  assert.equal(reason(decodeLine(deep, recorded)), 'nested too deeply');
  // Would take minutes if each of the quotes were looked at as the begin of a string.
  const quotes = `{"type": 1234567890123456, "${'\\"'.repeat(400_000)}`;
  assert.equal(reason(decodeLine(quotes, recorded)), 'not valid JSON');
  const long = decodeLine(`{${'x'.repeat(10_000)}`, recorded);
  assert.equal(long.type === 'undecodable' && long.text.length, 200);
});

test('a line of a type that no fragment may cause is unknown, whatever it holds', () => {
  for (const typeName of unmade)
    for (const rest of [{}, { data: 5 }, { data: { '@x': {} } }, { msg: 'Divide or modulo by 0', line: 3 }])
      assert.deepEqual(decodeJson({ type: typeName, ...rest }), { type: 'unknown', typeName });
});

test('no part of a line is taken for the whole', () => {
  const lines = versions.flatMap((version) =>
    goldenLines(version, 'keyed.ndjson')
      .filter((line) => line.startsWith('{'))
      .map((line) => ({ line, dialect: dialectOf(version) })),
  );
  for (const { line, dialect } of lines) {
    for (let length = 2; length < line.length; length++) {
      assert.equal(decodeLine(line.slice(0, length), dialect).type, 'undecodable');
    }
  }
});

test('a brace alone is a line of the source that a warning is about (0.27)', () => {
  assert.deepEqual(decodeLine('{', dialectOf('0.27.0')), { type: 'plain', text: '{' });
});

test('any 64-bit integer is exact, as a value and as a key', () => {
  const written = { number: (value: bigint) => `${value}`, string: asJsonEmitterDoes };
  fc.assert(
    fc.property(fc.bigInt(-(2n ** 63n), 2n ** 64n - 1n), fc.constantFrom(...dialects), (value, dialect) => {
      const text = `{"type": "map", "data": {"@x": {"${value},1": ${written[dialect.bigIntegers](value)}}}}`;
      const line = decodeLine(text, dialect);
      assert.ok(line.type === 'map' && line.keyed);
      const [[key, decodedValue] = ['', null]] = line.entries;
      assert.equal(BigInt(decodedValue as number | bigint), value);
      assert.deepEqual(integerKey(key, 2), [BigInt.asIntN(64, value), 1n]);
    }),
  );
});

/** 0.24+: a string where a double cannot hold the value (src/output/json.cpp). */
const asJsonEmitterDoes = (value: bigint): string =>
  BigInt(Number(value)) === value ? `${value}` : `"${value}"`;

const typeNames = ['attached_probes', 'map', 'hist', 'printf', 'lost_events', 'helper_error', ...unmade];

test('decoding never throws, whatever comes', () => {
  const strings = fc.string({ unit: 'binary' });
  const contents = fc.oneof(fc.jsonValue(), fc.dictionary(strings, fc.jsonValue()));
  const almost = fc
    .record({
      type: fc.constantFrom(...typeNames),
      data: fc.oneof(contents, fc.record({ '@x': contents })),
      msg: fc.jsonValue(),
      line: fc.jsonValue(),
    })
    .map((line) => JSON.stringify(line));
  const anything = fc.oneof(
    strings,
    strings.map((text) => `{${text}`),
    fc.json(),
    almost,
  );
  fc.assert(
    fc.property(anything, fc.constantFrom(...dialects), (text, dialect) => {
      assert.equal(typeof decodeLine(text, dialect).type, 'string');
    }),
    { numRuns: cases(1000) },
  );
});
