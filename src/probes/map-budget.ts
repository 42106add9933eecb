/**
 * How many keys a map may have. One entry of a per-CPU hash takes about 88 + 8 x possible CPUs bytes, and bpftrace
 * gives all maps of a program the same size, so 16,384 keys on 256 CPUs would be 35 MB for each.
 */
export const mapKeysWithin = (
  program: string,
  limits: { keys: number; bytes: number },
  possibleCpus: number,
): number => {
  const maps = new Set(program.match(/@\w+/g)).size;
  const affordable = Math.floor(limits.bytes / (Math.max(1, maps) * (88 + 8 * possibleCpus)));
  return Math.max(64, Math.min(limits.keys, affordable));
};
