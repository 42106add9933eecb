/** What a bpftrace could come to write: recorded lines with damage, other bytes between them, cut anywhere. */
import fc from 'fast-check';
import { golden, type Version, versions } from './goldens.js';

/** One kind of line each, of those the programs of bpf/ print and those bpftrace prints of itself. */
const otherLines = [
  '{"type": "printf", "data": "tick 41803558482274\\n"}',
  '{"type": "printf", "data": "stalled-by 77 1000 0 160 110416394711410 0 4021\\n"}',
  '{"type": "printf", "data": "stalled-now 77 1000 0 110416394711410 55 50 120\\n"}',
  '{"type": "printf", "data": "delayed 77 1000 0 90 20 10 5\\n"}',
  '{"type": "printf", "data": "stalled 77 1000 60000000 22548 70 110416394711411 0 4021\\n"}',
  '{"type": "printf", "data": "stall 77 1000 1 40 60 3 9\\n"}',
  '{"type": "lost_events", "data": {"events": 3}}',
  '{"type": "helper_error", "msg": "", "helper": "map_update_elem", "retcode": -7, "line": 1, "col": 1}',
  '{"type": "map", "data": {"@writer_stacks": {"\\n rwsem_down_write_slowpath+1\\n vm_munmap+2\\n": 4}}}',
];

const filesOf: Readonly<Record<Version, readonly string[]>> = {
  '0.17.0': ['watch', 'scalars', 'keyed', 'hist', 'lhist', 'lost', 'map-full'],
  '0.23.2': ['scalars', 'keyed', 'hist', 'lhist', 'lost', 'map-full'],
  '0.27.0': ['scalars', 'keyed', 'hist', 'lhist', 'lost', 'map-full'],
};

/** Lines that real versions printed, each once, as bytes. */
export const recordedLines: readonly Buffer[] = [
  ...new Set([
    ...versions.flatMap((version) =>
      filesOf[version].flatMap((name) => golden(version, `${name}.ndjson`).split('\n')),
    ),
    ...otherLines,
  ]),
].map((line) => Buffer.from(line));

/** Bytes that mean something to a decoder, beside any byte at all. */
const telling = Buffer.from('{}[]":,\\-09e.@\n\r\0\x7f\xff\xc3', 'latin1');

/** One edit of a line: a byte is replaced, put in or taken out, or the line ends or begins there. */
const edited = (line: Buffer, at: number, kind: number, byte: Buffer): Buffer => {
  const place = line.length === 0 ? 0 : at % line.length;
  const [before, after] = [line.subarray(0, place), line.subarray(place)];
  switch (kind) {
    case 0:
      return Buffer.concat([before, byte, after.subarray(1)]);
    case 1:
      return Buffer.concat([before, byte, after]);
    case 2:
      return Buffer.concat([before, after.subarray(1)]);
    case 3:
      return before;
    case 4:
      return after;
    default:
      return Buffer.concat([before, after.subarray(0, 40), after]);
  }
};

const edits = fc.array(fc.tuple(fc.nat(65_535), fc.nat(5), fc.nat(255)), { maxLength: 3 });

/** A recorded line with up to three edits. */
export const mangledLine: fc.Arbitrary<Buffer> = fc
  .tuple(fc.nat(recordedLines.length - 1), edits)
  .map(([index, changes]) =>
    changes.reduce<Buffer>((line, [at, kind, byte]) => {
      // Half of the bytes are taken from those that tell.
      const one = byte < 128 ? telling.subarray(byte % telling.length).subarray(0, 1) : Buffer.from([byte]);
      return edited(line, at, kind, one);
    }, recordedLines[index]!),
  );

/** Bytes of no meaning. */
const noise: fc.Arbitrary<Buffer> = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));

/** A few such lines, or noise between them. The last has no newline. */
export const mangledOutput: fc.Arbitrary<Buffer> = fc
  .array(fc.oneof({ weight: 4, arbitrary: mangledLine }, { weight: 1, arbitrary: noise }), { maxLength: 4 })
  .map((lines) => Buffer.concat(lines.flatMap((line, index) => (index === 0 ? [line] : [newline, line]))));

const newline = Buffer.from('\n');

/** The same bytes in chunks, cut at places that are given as shares of 65,536. */
export const cut = (bytes: Buffer, shares: readonly number[]): Buffer[] => {
  const borders = shares.map((share) => Math.floor((share * bytes.length) / 65_536)).sort((a, b) => a - b);
  return [0, ...borders].map((from, index) => bytes.subarray(from, borders[index] ?? bytes.length));
};
