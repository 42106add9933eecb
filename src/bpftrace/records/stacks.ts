/** What the map of bpf/inspect/writer-stacks.bt means: its keys are stacks, the one kind of text that comes by a map. */
import type { WriterStack } from '../../records.js';

/** The map it prints. */
export const stackMap = '@writer_stacks';

/** Frames of a stack that are kept. */
const mostFrames = 16;

/**
 * A stack as bpftrace names it: one function a line, `name+offset`. Lines are divided by newlines, which 0.22 and 0.23
 * escape twice; since 0.24 a line may end with a file and a number.
 */
export const framesOf = (key: string): string[] =>
  key
    .split(/\n|\\n/)
    .map((line) => line.trim().replace(/\+(?:0x)?[0-9a-f]+\b.*$/, ''))
    .filter((line) => /^[\w.$]+$/.test(line))
    .slice(0, mostFrames);

/** The entries of the map, keyed (stack). Stacks that differ in offsets only are one. */
export const writerStacks = (entries: Iterable<readonly [key: string, count: number]>): WriterStack[] => {
  const stacks = new Map<string, WriterStack>();
  for (const [key, count] of entries) {
    const frames = framesOf(key);
    const text = frames.join('\n');
    stacks.set(text, { frames, count: (stacks.get(text)?.count ?? 0) + count });
  }
  return [...stacks.values()].filter(({ frames }) => frames.length > 0);
};
