import { type BtfTypes, kinds, malformed, maxDepth } from './btf-types.js';

/** Where a member lies in its struct or union. */
export interface Member {
  readonly type: number;
  /** Distance from the start of the outermost struct, in bits. */
  readonly bits: number;
  readonly bitfield: boolean;
}

/**
 * Follows a dotted path of member names. Each name is also found inside anonymous members; nested structs and
 * unions are entered through typedefs and qualifiers, never through pointers or arrays (another object, or one
 * of several).
 */
export function findPath(types: BtfTypes, composite: number, path: string): Member | undefined {
  let within: Member = { type: composite, bits: 0, bitfield: false };
  for (const name of path.split('.')) {
    const id = types.unqualified(within.type);
    if (!types.isComposite(id)) return undefined;
    const member = findMember(types, id, name);
    if (member === undefined) return undefined;
    within = { ...member, bits: within.bits + member.bits };
  }
  return within;
}

function findMember(types: BtfTypes, composite: number, name: string): Member | undefined {
  // Anonymous types without the name, so that damaged BTF cannot make the search exponential.
  const searched = new Set<number>();
  const search = (id: number, base: number, outer: readonly number[]): Member | undefined => {
    if (outer.includes(id)) throw malformed(`type ${id} contains itself`);
    if (outer.length > maxDepth) throw malformed('anonymous members are nested without end');
    for (let index = 0; index < types.vlen(id); index += 1) {
      const memberName = types.text(types.extra(id, index * 3));
      if (memberName !== '' && memberName !== name) continue;
      const member = readMember(types, id, index, base);
      if (memberName !== '') return member;
      const inner = types.unqualified(member.type);
      if (!types.isComposite(inner) || searched.has(inner)) continue;
      const found = search(inner, member.bits, [...outer, id]);
      if (found !== undefined) return found;
    }
    searched.add(id);
    return undefined;
  };
  return search(composite, 0, []);
}

function readMember(types: BtfTypes, id: number, index: number, base: number): Member {
  const type = types.extra(id, index * 3 + 1);
  const offset = types.extra(id, index * 3 + 2);
  // With the kind flag a member carries its bitfield size in the upper 8 bits of the offset (btf.rst, 2.2.4).
  if (types.kindFlag(id)) return { type, bits: base + (offset & 0xff_ffff), bitfield: offset >>> 24 !== 0 };
  return { type, bits: base + offset, bitfield: offset % 8 !== 0 || isPartialInt(types, type) };
}

/** Without the kind flag a bitfield is an integer with fewer bits than its size has (btf.rst, 2.2.1). */
function isPartialInt(types: BtfTypes, type: number): boolean {
  const id = types.unqualified(type);
  return types.kind(id) === kinds.int && (types.extra(id, 0) & 0xff) !== types.sizeOrType(id) * 8;
}
