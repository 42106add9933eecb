import { findPath, type Member } from './btf-members.js';
import { NameIndex } from './btf-names.js';
import { type FunctionParameter, renderParameters } from './btf-render.js';
import { BtfTypes, kinds, malformed, type UnknownType } from './btf-types.js';

/**
 * Questions to the BTF of a kernel.
 *
 * Names of structs are tags without `struct` or `union`. Several types can have one tag; then the first in the
 * BTF answers, and for members the first that has the path. Every method can throw MmaplockError btf_malformed:
 * what the first pass does not look at is checked when it is asked for.
 */
export class Btf {
  readonly #blob: Buffer;
  readonly #types: BtfTypes;
  #released = false;
  #composites: NameIndex | undefined;
  #functions: NameIndex | undefined;

  /** @param blob of which the types are */
  constructor(blob: Buffer, types: BtfTypes) {
    this.#blob = blob;
    this.#types = types;
  }

  /**
   * Gives the memory of the blob back, 6 MB and more: it answers no question any more. V8 would keep it until it next
   * collects old garbage, which in an idle daemon takes minutes. Before Node 22 it does (no ArrayBuffer.transfer()), and
   * a small blob stays, for it may share its memory with other buffers.
   */
  release(): void {
    this.#released = true;
    const memory = this.#blob.buffer as ArrayBuffer & { transfer?: (bytes: number) => ArrayBuffer };
    if (memory.byteLength === this.#blob.byteLength) memory.transfer?.(0);
  }

  /** The first type of a kind that is not known, where there is one; it and those behind it answer no question. */
  get unknown(): UnknownType | undefined {
    return this.#types.unknown;
  }

  /** Whether a struct or union of this tag is defined; a forward declaration does not count. */
  hasStruct(tag: string): boolean {
    return this.#tagged(tag).length > 0;
  }

  /** The size of a struct or union in bytes; undefined when it is not defined. */
  structSize(tag: string): number | undefined {
    const id = this.#tagged(tag)[0];
    return id === undefined ? undefined : this.#types.sizeOrType(id);
  }

  /**
   * The offset of a member in bytes. The path is dotted and passes anonymous members, nested structs, typedefs
   * and qualifiers, but neither pointers nor arrays. Undefined when the member is absent or is a bitfield, which
   * has no byte offset; hasMember() tells these two apart.
   */
  memberOffset(tag: string, path: string): number | undefined {
    const member = this.#member(tag, path);
    if (member === undefined || member.bitfield) return undefined;
    // A struct at half a byte would make half an offset of each of its members.
    if (member.bits % 8 !== 0) throw malformed(`${path} of ${tag} does not begin at a byte`);
    return member.bits / 8;
  }

  /** Whether the path names a member, be it a bitfield. */
  hasMember(tag: string, path: string): boolean {
    return this.#member(tag, path) !== undefined;
  }

  /** Whether a function of this name is described. Names of several different functions are left out by pahole. */
  hasFunction(name: string): boolean {
    return this.#named(name).length > 0;
  }

  /** The parameters of a function in order; undefined when the function is not described. */
  functionParameters(name: string): FunctionParameter[] | undefined {
    const id = this.#named(name)[0];
    if (id === undefined) return undefined;
    const proto = this.#types.sizeOrType(id);
    if (this.#types.kind(proto) !== kinds.funcProto) throw malformed(`function ${name} has no prototype`);
    return renderParameters(this.#types, proto);
  }

  #assertHeld(): void {
    if (this.#released) throw new Error('the BTF is asked after release()');
  }

  #member(tag: string, path: string): Member | undefined {
    for (const id of this.#tagged(tag)) {
      const member = findPath(this.#types, id, path);
      if (member !== undefined) return member;
    }
    return undefined;
  }

  #tagged(tag: string): readonly number[] {
    this.#assertHeld();
    this.#composites ??= new NameIndex(this.#types, (kind) => kind === kinds.struct || kind === kinds.union);
    return this.#composites.find(tag);
  }

  #named(name: string): readonly number[] {
    this.#assertHeld();
    this.#functions ??= new NameIndex(this.#types, (kind) => kind === kinds.func);
    return this.#functions.find(name);
  }
}

/**
 * Reads a whole BTF blob, such as /sys/kernel/btf/vmlinux. The blob is kept, not copied: do not change it.
 *
 * @throws MmaplockError btf_malformed
 */
export const parseBtf = (blob: Buffer): Btf => new Btf(blob, new BtfTypes(blob));
