/** A message to be logged; `unsaid` is how often it was withheld since it was said last. */
export type Say = (unsaid: number) => void;

export interface RepeatLimitOptions {
  /** How long a message stays withheld after it was said. */
  readonly minutes: number;
  /** Milliseconds that never run backwards, such as performance.now. */
  readonly now: () => number;
}

/** So that keys made from data of others cannot grow the table for ever. */
const mostKeys = 1000;

/**
 * Limits what repeats: of all calls with the same key, `say` is called at most once in so many minutes; the
 * next one that is said is told how many were not. Beyond 1000 keys the one said longest ago is forgotten.
 */
export const createRepeatLimit = ({
  minutes,
  now,
}: RepeatLimitOptions): ((key: string, say: Say) => void) => {
  const entries = new Map<string, { saidAt: number; unsaid: number }>();
  return (key, say) => {
    const entry = entries.get(key);
    if (entry !== undefined && now() - entry.saidAt < minutes * 60_000) {
      entry.unsaid += 1;
      return;
    }
    // Deleted before it is set, so that the map stays in the order of saying.
    entries.delete(key);
    if (entries.size >= mostKeys) entries.delete(entries.keys().next().value!);
    entries.set(key, { saidAt: now(), unsaid: 0 });
    say(entry?.unsaid ?? 0);
  };
};
