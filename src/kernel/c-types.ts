/**
 * A BTF of the plain C types that the formats of tracepoints name, and nothing else: 600 bytes where a kernel has 6 MB.
 *
 * bpftrace looks up each cast of a program (`(uint64)`) by its name among all types of the kernel, one after another, and
 * finds none: 0.17 (src/ast/passes/field_analyser.cpp, visit(Cast)) spends 0.9 s of the 2.0 s of a start on that, 0.23
 * 0.6 s of 2.5. A program of tracepoints alone uses no other type, and starts with this file in BPFTRACE_BTF instead.
 *
 * The file is bpf/lib/c-types.btf, written by `npm run package -- --generate`: a daemon may have no place to write one. It
 * holds for machines of 64 bits that are little endian, which are all that the probes are written for.
 */

/** Kinds of include/uapi/linux/btf.h. */
const kindInt = 1;
const kindStruct = 4;
const kindTypedef = 8;

/** Encodings of an int there. */
const signed = 1;
const boolean = 4;

/** Name, bytes, encoding. */
const integers: readonly (readonly [string, number, number])[] = [
  ['char', 1, signed],
  ['unsigned char', 1, 0],
  ['short', 2, signed],
  ['unsigned short', 2, 0],
  ['int', 4, signed],
  ['unsigned int', 4, 0],
  ['long', 8, signed],
  ['unsigned long', 8, 0],
  ['_Bool', 1, boolean],
];

/** Those of bpftrace first, for they are looked up most. */
const names: readonly (readonly [string, string])[] = [
  ['uint64', 'unsigned long'],
  ['int64', 'long'],
  ['uint32', 'unsigned int'],
  ['int32', 'int'],
  ['uint8', 'unsigned char'],
  ['u64', 'unsigned long'],
  ['s64', 'long'],
  ['u32', 'unsigned int'],
  ['s32', 'int'],
  ['u16', 'unsigned short'],
  ['s16', 'short'],
  ['u8', 'unsigned char'],
  ['s8', 'char'],
  ['bool', '_Bool'],
  ['pid_t', 'int'],
  ['size_t', 'unsigned long'],
  ['loff_t', 'long'],
  ['dev_t', 'unsigned int'],
  ['umode_t', 'unsigned short'],
  ['gfp_t', 'unsigned int'],
  ['rwf_t', 'int'],
];

/** What `curtask` points to; 0.27 wants to know it, though nobody looks inside. */
const opaque = 'task_struct';

/** The file, as Documentation/bpf/btf.rst describes it. */
export const cTypesBtf = (): Buffer => {
  const words: number[] = [];
  let strings = '\0';
  let types = 0;
  const text = (string: string): number => {
    strings += `${string}\0`;
    return strings.length - string.length - 1;
  };
  const add = (
    kind: number,
    name: string,
    sizeOrType: number,
    members: number,
    ...rest: number[]
  ): number => {
    words.push(text(name), (kind << 24) | members, sizeOrType, ...rest);
    types += 1;
    return types;
  };
  const ids = new Map(
    integers.map(([name, bytes, encoding]) => [
      name,
      add(kindInt, name, bytes, 0, (encoding << 24) | (bytes * 8)),
    ]),
  );
  for (const [name, of] of names) add(kindTypedef, name, ids.get(of) as number, 0);
  add(kindStruct, opaque, 8, 1, text('opaque'), ids.get('unsigned long') as number, 0);

  const header = Buffer.alloc(24);
  header.writeUInt16LE(0xeb9f, 0);
  header.writeUInt8(1, 2);
  for (const [index, word] of [24, 0, words.length * 4, words.length * 4, strings.length].entries())
    header.writeUInt32LE(word, 4 + index * 4);
  const body = Buffer.alloc(words.length * 4);
  for (const [index, word] of words.entries()) body.writeUInt32LE(word >>> 0, index * 4);
  return Buffer.concat([header, body, Buffer.from(strings, 'latin1')]);
};
