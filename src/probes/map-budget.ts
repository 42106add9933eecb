/** How much memory the maps of a program may take. */
import { totalmem } from 'node:os';

/** The maps of a program, without `@`. */
export const mapNames = (program: string): string[] => [...mapSizes(program).keys()];

/**
 * So many keys a map always has, whatever they take: twice the 256 slots of `@waiting`. With fewer a host with many CPUs
 * would overflow by design, and for ever.
 */
const fewestKeys = 512;

/**
 * How many keys a map may have: bpftrace gives all maps of a program the same number, so that all of them together
 * stay within `bytes`. On 256 CPUs an entry that counts takes 2 KiB, one that is assigned 100 bytes.
 * @param program text of the joined program
 */
export const mapKeysWithin = (
  program: string,
  limits: { keys: number; bytes: number },
  possibleCpus: number,
): number => {
  let bytesPerKey = 0;
  for (const size of mapSizes(program).values()) bytesPerKey += entryBytes(size, possibleCpus);
  const affordable = Math.floor(limits.bytes / Math.max(1, bytesPerKey));
  return Math.max(Math.min(fewestKeys, limits.keys), Math.min(limits.keys, affordable));
};

/** Up to so many possible CPUs the setting is all that maps may take. */
const cpusOfSetting = 128;

/** Of the memory that this process may use, the maps of one program take no more than this for the sake of more CPUs. */
const shareOfMemory = 1 / 16;

/**
 * What the maps of a program may take on this host, in bytes: what the operator allows and, with more possible CPUs than
 * usual, in proportion more, where there is memory for it.
 */
export const mapBytesOn = (
  { map_memory_mib }: { readonly map_memory_mib: number },
  possibleCpus: number,
  memoryBytes: number,
): number => {
  const allowed = map_memory_mib * 2 ** 20;
  const wanted = allowed * Math.max(1, possibleCpus / cpusOfSetting);
  return Math.max(allowed, Math.min(wanted, memoryBytes * shareOfMemory));
};

/** What this process may use: the memory of the host, or what its cgroup leaves of it. */
const memoryHere = (): number =>
  Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);

/** Keys of each map of a program, by the settings, on this host. */
export const mapKeysOn = (
  program: string,
  limits: { readonly map_keys: number; readonly map_memory_mib: number },
  possibleCpus: number,
): number =>
  mapKeysWithin(
    program,
    { keys: limits.map_keys, bytes: mapBytesOn(limits, possibleCpus, memoryHere()) },
    possibleCpus,
  );

/** What an entry of a map holds, in 64-bit words. */
interface MapSize {
  readonly keyWords: number;
  readonly valueWords: number;
  /** Each CPU has a value of its own. */
  readonly perCpu: boolean;
}

/**
 * Bytes of one entry: struct htab_elem (48), key and value, for per-CPU maps a pointer to the values instead, and 16
 * for each bucket, of which there is the next power of two (kernel/bpf/hashtab.c). Held against the kernel's own
 * figures on 6.18, with the maps of bpftrace 0.17, 0.23 and 0.27.
 */
const entryBytes = ({ keyWords, valueWords, perCpu }: MapSize, possibleCpus: number): number =>
  48 + 2 * 16 + 8 * keyWords + (perCpu ? 8 + 8 * valueWords * possibleCpus : 8 * valueWords);

/**
 * What bpftrace keeps for each CPU, and how: `key` words beside those the program names (the bucket of a histogram;
 * up to 0.20 the parts of an average), `value` words (two, from 0.21 on, where it keeps a number beside the sum).
 */
const aggregations: Readonly<Record<string, { readonly key: number; readonly value: number }>> = {
  count: { key: 0, value: 1 },
  sum: { key: 0, value: 1 },
  hist: { key: 1, value: 1 },
  lhist: { key: 1, value: 1 },
  min: { key: 0, value: 2 },
  max: { key: 0, value: 2 },
  avg: { key: 1, value: 2 },
  stats: { key: 1, value: 2 },
};

/** Each map of the program by its widest use. A map that is only read is taken for one with a single number. */
const mapSizes = (program: string): Map<string, MapSize> => {
  const code = program.replace(/\/\/.*/g, '');
  const sizes = new Map<string, MapSize>();
  for (const match of code.matchAll(/@(\w+)/g)) {
    const name = match[1] as string;
    const end = match.index + match[0].length;
    const keyed = code[end] === '[';
    const keyEnd = keyed ? closing(code, end) : end;
    const key = keyed ? items(code.slice(end + 1, keyEnd - 1)) : 1;
    const size = sizeOf(key, /^\s*=(?!=)\s*([^;}]*)/.exec(code.slice(keyEnd))?.[1] ?? '');
    const known = sizes.get(name);
    sizes.set(name, {
      keyWords: Math.max(size.keyWords, known?.keyWords ?? 0),
      valueWords: Math.max(size.valueWords, known?.valueWords ?? 0),
      perCpu: size.perCpu || (known?.perCpu ?? false),
    });
  }
  return sizes;
};

/** The size of a map that is assigned this expression; empty where nothing is assigned. */
const sizeOf = (key: number, assigned: string): MapSize => {
  const aggregation = aggregations[/^(\w+)\s*\(/.exec(assigned)?.[1] ?? ''];
  if (aggregation !== undefined)
    return { keyWords: key + aggregation.key, valueWords: aggregation.value, perCpu: true };
  const text = assigned.trim();
  const tuple = text.startsWith('(') && closing(text, 0) === text.length;
  return { keyWords: key, valueWords: tuple ? items(text.slice(1, -1)) : 1, perCpu: false };
};

/** The index after the bracket that closes the one at `start`. */
const closing = (text: string, start: number): number => {
  let depth = 0;
  for (let index = start; index < text.length; index++) {
    if ('[('.includes(text[index] as string)) depth += 1;
    else if ('])'.includes(text[index] as string)) depth -= 1;
    if (depth === 0) return index + 1;
  }
  return text.length;
};

/** How many items a list has, those inside brackets not counted. */
const items = (list: string): number => {
  let depth = 0;
  let count = 1;
  for (const character of list) {
    if ('[('.includes(character)) depth += 1;
    else if ('])'.includes(character)) depth -= 1;
    else if (character === ',' && depth === 0) count += 1;
  }
  return count;
};
