/** Whether a name in the configuration can be that of a victim: one that cannot would never page anybody. */
import { isUnitName } from '../identity/cgroup-path.js';
import { bytesOfName, longestName, nameFromBytes } from '../identity/comm.js';

/** Whether the label `victim` can hold this as the name of a process: in the form in which names are shown. */
export const isProcessName = (text: string): boolean => {
  const bytes = bytesOfName(text);
  return bytes.length <= longestName && nameFromBytes(bytes) === text;
};

/** Whether it can hold this where it names units: a process without one is shown by its own name. */
export const isVictimName = (text: string): boolean => isProcessName(text) || isUnitName(text);

/** What {@link isVictimName} takes, in words. */
export const victimNames =
  `a name as labels show it (at most ${longestName} bytes, all that the kernel keeps; \\x7e for a ~ at its begin) ` +
  'or a unit';
