/** How much memory the maps of a program may take. */

/** The maps of a program, without `@`. */
export const mapNames = (program: string): string[] => [...new Set(program.match(/(?<=@)\w+/g))];

/**
 * How many keys a map may have. One entry of a per-CPU hash takes about 88 + 8 x possible CPUs bytes, and bpftrace
 * gives all maps of a program the same size, so 16,384 keys on 256 CPUs would be 35 MB for each.
 */
export const mapKeysWithin = (
  program: string,
  limits: { keys: number; bytes: number },
  possibleCpus: number,
): number => {
  const affordable = Math.floor(
    limits.bytes / (Math.max(1, mapNames(program).length) * (88 + 8 * possibleCpus)),
  );
  return Math.max(64, Math.min(limits.keys, affordable));
};
