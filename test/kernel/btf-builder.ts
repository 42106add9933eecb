import { endianness } from 'node:os';

/** Writes small BTF blobs for tests, word by word, as Documentation/bpf/btf.rst describes them. */
export class BtfBuilder {
  readonly #words: number[] = [];
  #strings = '\0';
  #lastId = 0;

  string(text: string): number {
    if (text === '') return 0;
    const offset = this.#strings.length;
    this.#strings += `${text}\0`;
    return offset;
  }

  /** Appends a record and returns its type id. */
  type(
    kind: number,
    name: string,
    sizeOrType: number,
    extra: number[] = [],
    options: { vlen?: number; flag?: boolean } = {},
  ): number {
    const info = (((options.flag ?? false) ? 0x8000_0000 : 0) | (kind << 24) | (options.vlen ?? 0)) >>> 0;
    this.#words.push(this.string(name), info, sizeOrType, ...extra);
    this.#lastId += 1;
    return this.#lastId;
  }

  int(name: string, bytes: number, bits = bytes * 8): number {
    return this.type(1, name, bytes, [bits]);
  }

  /** Members are name, type id and the offset word as it is encoded. */
  struct(
    name: string,
    bytes: number,
    members: [string, number, number][],
    options: { flag?: boolean; kind?: 4 | 5 } = {},
  ): number {
    const extra = members.flatMap(([member, type, offset]) => [this.string(member), type, offset]);
    return this.type(options.kind ?? 4, name, bytes, extra, {
      vlen: members.length,
      flag: options.flag ?? false,
    });
  }

  build(): Buffer {
    const little = endianness() === 'LE';
    const strings = Buffer.from(this.#strings, 'latin1');
    const blob = Buffer.alloc(24 + this.#words.length * 4 + strings.length);
    const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
    view.setUint16(0, 0xeb9f, little);
    blob[2] = 1;
    const header = [24, 0, this.#words.length * 4, this.#words.length * 4, strings.length];
    for (const [index, word] of header.entries()) view.setUint32(4 + index * 4, word, little);
    for (const [index, word] of this.#words.entries()) view.setUint32(24 + index * 4, word, little);
    strings.copy(blob, 24 + this.#words.length * 4);
    return blob;
  }
}
