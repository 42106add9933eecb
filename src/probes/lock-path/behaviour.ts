/**
 * How this kernel serves the proc files, by how it behaves: what bpf/start/lock-path.bt saw while the daemon read its own.
 * BTF and symbols (lock-paths.ts) show what a kernel has, not what it does with it, and a patch can leave no trace in
 * them that is known here. So where the two differ, behaviour counts.
 */
import type { OwnFileReads } from '../../kernel/own-files.js';
import type { LockTakeRow } from '../../own-records.js';
import { type LockPath, type ProcFile, procFiles } from '../../vocabulary.js';
import type { LockPathEvidence } from './evidence.js';

/** What was seen of the daemon's reads of one of its own proc files. */
export interface OwnReads {
  readonly file: ProcFile;
  /** Reads that returned data: one at the end of a file takes no lock, whatever the path. */
  readonly reads: number;
  /** Times they took mmap_lock. */
  readonly takes: number;
  /** Those of them that kept it until the buffer was filled. */
  readonly fills: number;
}

/** The fragment that sees it. */
export const lockPathFragment = 'lock-path';

/** The files that are read for it. */
const read: readonly ProcFile[] = ['maps', 'smaps', 'smaps_rollup', 'numa_maps', 'pagemap'];

/** What was seen of each of these files, by what was done and by what bpf/start/lock-path.bt counted. */
export const ownReadsOf = (done: readonly OwnFileReads[], counted: readonly LockTakeRow[]): OwnReads[] =>
  done.flatMap(({ name, descriptor, reads }) => {
    const file = read.find((candidate) => candidate === name);
    if (file === undefined) return [];
    const { takes = 0, fills = 0 } = counted.find((row) => row.descriptor === descriptor) ?? {};
    // pagemap is no seq_file: it has the lock for nothing but filling its buffer.
    return [{ file, reads, takes, fills: file === 'pagemap' ? takes : fills }];
  });

/**
 * The share of reads that makes a rule. A reader that locks VMAs takes mmap_lock for a moment where another thread of
 * this process changes its address space just then: rare, but it happens. In between, nothing is decided.
 */
const most = 0.75;
const few = 0.25;

/** The path that these reads show, if any. */
const pathOf = ({ reads, takes, fills }: OwnReads): LockPath | undefined => {
  if (reads === 0) return undefined;
  if (fills >= most * reads) return 'mmap_lock';
  if (takes >= most * reads) return fills <= few * reads ? 'rcu_snapshot' : undefined;
  return takes <= few * reads ? 'per_vma_lock' : undefined;
};

/**
 * The paths that the daemon's reads show, by file. None at all where no file was seen to take the lock: then it is
 * open whether anything was seen. Up to 7.3 at least, pagemap takes it.
 */
export const behaviourOf = (seen: readonly OwnReads[]): ReadonlyMap<ProcFile, LockPath> => {
  const sees = seen.some(({ reads, takes }) => reads > 0 && takes >= most * reads);
  return new Map(
    seen.flatMap((own): [ProcFile, LockPath][] => {
      const path = sees ? pathOf(own) : undefined;
      return path === undefined ? [] : [[own.file, path]];
    }),
  );
};

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

const told = ({ reads, takes, fills }: OwnReads): string => {
  const took = `Seen at the start: ${reads} reads took mmap_lock ${times(takes)}`;
  if (takes === 0) return took;
  if (fills === 0) return `${took}, and let go of it before they filled their buffer`;
  return `${took}, and filled their buffer under it${fills === takes ? '' : ` ${times(fills)}`}`;
};

/**
 * What is known of the lock paths once the daemon has read its own files, in the order of the vocabulary. What
 * behaviour does not decide stays as BTF and symbols have it.
 */
export const settleLockPaths = (
  evidence: readonly LockPathEvidence[],
  seen: readonly OwnReads[],
): LockPathEvidence[] => {
  const behaviour = behaviourOf(seen);
  return procFiles.flatMap((file) => {
    const known = evidence.find((candidate) => candidate.file === file);
    const own = seen.find((candidate) => candidate.file === file);
    if (own === undefined || behaviour.size === 0) return known ?? [];
    const path = behaviour.get(file);
    if (path === undefined)
      return known === undefined
        ? []
        : { ...known, evidence: `${known.evidence} ${told(own)}: this decides nothing.` };
    if (known === undefined) return { file, path, by: 'behaviour', evidence: `${told(own)}.` };
    return path === known.path
      ? { ...known, by: 'both', evidence: `${known.evidence} ${told(own)}.` }
      : {
          file,
          path,
          by: 'behaviour',
          evidence: `${told(own)}. Its BTF and symbols speak for ${known.path}: ${known.evidence}`,
        };
  });
};

/** The files of which BTF and symbols say otherwise than was seen, as settled. */
export const contradicted = (
  evidence: readonly LockPathEvidence[],
  settled: readonly LockPathEvidence[],
): LockPathEvidence[] =>
  settled.filter(({ file, path }) =>
    evidence.some((candidate) => candidate.file === file && candidate.path !== path),
  );
