/** Names of processes for lists: each is read once between two ticks, however many ask and however often. */

/** Processes that are remembered at most: a list has a thousand rows. */
const most = 4096;

/** @param asOf time of the newest tick; @param read undefined for a process that is gone */
export const namesByTick = (
  asOf: () => number,
  read: (pid: number) => string | undefined,
): ((pid: number) => string | undefined) => {
  const names = new Map<number, string | undefined>();
  let of: number | undefined;
  return (pid) => {
    const at = asOf();
    if (at !== of || names.size >= most) names.clear();
    of = at;
    if (!names.has(pid)) names.set(pid, read(pid));
    return names.get(pid);
  };
};
