import { endianness } from 'node:os';
import { MmaplockError } from '../errors.js';

/**
 * The type records of a BTF blob: bounds checked once, indexed by type id, decoded on demand.
 *
 * Format: Documentation/bpf/btf.rst and include/uapi/linux/btf.h of Linux.
 */

/** BTF_KIND_* of include/uapi/linux/btf.h (6.18). */
export const kinds = {
  void: 0,
  int: 1,
  ptr: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  fwd: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  func: 12,
  funcProto: 13,
  var: 14,
  datasec: 15,
  float: 16,
  declTag: 17,
  typeTag: 18,
  enum64: 19,
} as const;

const magic = 0xeb9f;
const swappedMagic = 0x9feb;
const headerBytes = 24;
/** struct btf_type: name_off, info, size or type. */
const recordWords = 3;

/** Words that follow struct btf_type, by kind: a fixed part, and a part for each of the vlen entries. */
const fixedWords = new Uint8Array(20);
const entryWords = new Uint8Array(20);
fixedWords[kinds.int] = 1;
fixedWords[kinds.array] = 3;
fixedWords[kinds.var] = 1;
fixedWords[kinds.declTag] = 1;
entryWords[kinds.struct] = 3;
entryWords[kinds.union] = 3;
entryWords[kinds.enum] = 2;
entryWords[kinds.funcProto] = 2;
entryWords[kinds.datasec] = 3;
entryWords[kinds.enum64] = 3;

/** KSYM_NAME_LEN of include/linux/kallsyms.h (6.1): btf_name_valid() of kernel/bpf/btf.c takes no longer name. */
const longestName = 512;

/** No C declaration of the kernel nests deeper; only damaged BTF, above all a cycle, does. */
export const maxDepth = 64;

export const malformed = (what: string): MmaplockError => new MmaplockError('btf_malformed', `BTF: ${what}`);

/** Of a BTF of which only the types before that one can be used. */
export const unknownKind = ({ id, kind }: UnknownType): MmaplockError =>
  new MmaplockError('btf_unknown_kind', `BTF: type ${id} is of kind ${kind}, only those before it are used`);

interface Sections {
  readonly types: Uint32Array;
  readonly strings: Buffer;
}

/** Finds the two sections. Everything read later lies inside them. */
function readSections(blob: Buffer): Sections {
  if (blob.length < headerBytes) throw malformed(`${blob.length} bytes are too few for a header`);
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const little = endianness() === 'LE';
  const found = view.getUint16(0, little);
  if (found === swappedMagic) throw malformed("the byte order is not this host's");
  if (found !== magic) throw malformed(`magic is 0x${found.toString(16)}, not 0xeb9f`);
  if (blob[2] !== 1) throw malformed(`version ${blob[2]} is not known`);
  // A header may be longer than we know: sections start where it says it ends.
  const start = view.getUint32(4, little);
  if (start < headerBytes) throw malformed(`header length ${start} is too short`);
  const section = (name: string, at: number): Buffer => {
    const from = start + view.getUint32(at, little);
    const to = from + view.getUint32(at + 4, little);
    if (to > blob.length)
      throw malformed(`truncated: the ${name} section ends at ${to}, the data at ${blob.length}`);
    return blob.subarray(from, to);
  };
  const types = section('type', 8);
  const strings = section('string', 16);
  if (types.length % 4 !== 0) throw malformed('the type section is not a whole number of words');
  if (strings.length === 0 || strings[0] !== 0 || strings[strings.length - 1] !== 0) {
    throw malformed('the string section does not start and end with NUL');
  }
  return { types: asWords(types), strings };
}

/** The bytes as words in the host's byte order; copied only where alignment demands it. */
function asWords(bytes: Buffer): Uint32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Uint32Array(aligned.buffer, aligned.byteOffset, bytes.length / 4);
}

// btf.rst has vlen in bits 0 to 15 and the kind in bits 24 to 28, with zeros above each.
// Reading the zeros as part of the field lets an unknown extension fail as such, not as nonsense.
const kindOf = (info: number): number => (info >>> 24) & 0x7f;
const vlenOf = (info: number): number => info & 0xff_ffff;

/** A type of a kind that a later kernel has: how long it is, and so where the next one begins, is not known. */
export interface UnknownType {
  readonly id: number;
  readonly kind: number;
}

/**
 * The word index of each type id; ids start at 1, so entry 0 is not used. Types behind one of an unknown kind are left
 * out. The first being so is damage: no kernel begins with anything but what every one has had.
 */
function indexTypes(
  words: Uint32Array,
  stringBytes: number,
): { readonly starts: Uint32Array; readonly unknown?: UnknownType } {
  // Each record has at least recordWords words, which bounds the count.
  const starts = new Uint32Array(Math.floor(words.length / recordWords) + 1);
  let count = 0;
  for (let at = 0; at < words.length; ) {
    if (at + recordWords > words.length) throw malformed('truncated type record');
    const info = words[at + 1]!;
    const kind = kindOf(info);
    if (kind > kinds.enum64 && count > 0)
      return { starts: starts.slice(0, count + 1), unknown: { id: count + 1, kind } };
    if (kind === kinds.void || kind > kinds.enum64)
      throw malformed(`type ${count + 1} has unknown kind ${kind}`);
    if (words[at]! >= stringBytes)
      throw malformed(`the name of type ${count + 1} lies outside the string section`);
    count += 1;
    starts[count] = at;
    at += recordWords + fixedWords[kind]! + entryWords[kind]! * vlenOf(info);
    if (at > words.length) throw malformed(`type ${count} reaches beyond the type section`);
  }
  return { starts: starts.slice(0, count + 1) };
}

/**
 * Read access to type records by id. Every id and string offset is checked; a bad one throws btf_malformed, or
 * btf_unknown_kind where the type is one of those left out.
 */
export class BtfTypes {
  readonly #words: Uint32Array;
  readonly #strings: Buffer;
  readonly #starts: Uint32Array;
  /** The first type that is not known: it and those behind it are left out. */
  readonly unknown: UnknownType | undefined;

  /** @throws MmaplockError btf_malformed */
  constructor(blob: Buffer) {
    const { types, strings } = readSections(blob);
    this.#words = types;
    this.#strings = strings;
    const { starts, unknown } = indexTypes(types, strings.length);
    this.#starts = starts;
    this.unknown = unknown;
  }

  /** The highest type id. */
  get lastId(): number {
    return this.#starts.length - 1;
  }

  kind(id: number): number {
    return id === 0 ? kinds.void : kindOf(this.#record(id, 1));
  }

  /** The number of members, parameters or enumerators. */
  vlen(id: number): number {
    return vlenOf(this.#record(id, 1));
  }

  kindFlag(id: number): boolean {
    return this.#record(id, 1) >>> 31 === 1;
  }

  /** The size in bytes, or the id of the type referred to, as the kind has it. */
  sizeOrType(id: number): number {
    return this.#record(id, 2);
  }

  /** The nth word after struct btf_type; the caller stays within what the kind and vlen allow. */
  extra(id: number, n: number): number {
    return this.#record(id, recordWords + n);
  }

  /** Where the name of a type lies in the string section. */
  nameOffset(id: number): number {
    return this.#record(id, 0);
  }

  /** Every offset at which a text, which is not empty, stands: also as the end of a longer one. */
  offsetsOf(text: string): Set<number> {
    const wanted = Buffer.from(`${text}\0`, 'latin1');
    const found = new Set<number>();
    for (let at = this.#strings.indexOf(wanted); at !== -1; at = this.#strings.indexOf(wanted, at + 1))
      found.add(at);
    return found;
  }

  /** The name of a type; '' when it has none. */
  name(id: number): string {
    return this.text(this.#record(id, 0));
  }

  /** The string at an offset of the string section. */
  text(offset: number): string {
    if (offset >= this.#strings.length) throw malformed(`string offset ${offset} is out of range`);
    const end = this.#strings.indexOf(0, offset);
    // Names may lie in one another: without a bound, a long one could be kept as often as there are types.
    if (end - offset >= longestName)
      throw malformed(`the name at ${offset} is longer than any of the kernel`);
    return this.#strings.toString('latin1', offset, end);
  }

  /** The type behind typedefs, qualifiers and type tags. */
  unqualified(id: number): number {
    for (let hops = 0; hops < maxDepth; hops += 1) {
      switch (this.kind(id)) {
        case kinds.typedef:
        case kinds.const:
        case kinds.volatile:
        case kinds.restrict:
        case kinds.typeTag:
          id = this.sizeOrType(id);
          break;
        default:
          return id;
      }
    }
    throw malformed('a chain of typedefs or qualifiers has no end');
  }

  isComposite(id: number): boolean {
    const kind = this.kind(id);
    return kind === kinds.struct || kind === kinds.union;
  }

  #record(id: number, word: number): number {
    if (this.unknown !== undefined && id >= this.unknown.id) throw unknownKind(this.unknown);
    if (id === 0 || id >= this.#starts.length) throw malformed(`type id ${id} does not exist`);
    return this.#words[this.#starts[id]! + word]!;
  }
}
