/** What the daemon chose to run on this kernel, and how it says the kernel serves the files. */
import type { RunningDaemon } from '../../live/support/daemon.js';
import type { Entry } from './entry.js';
import { check, fact } from './report.js';

interface Status {
  readonly lock_paths: readonly {
    readonly file: string;
    readonly path: string;
    readonly by: string;
    readonly evidence: string;
  }[];
  readonly observables: readonly { readonly what: string; readonly source?: string }[];
}

/** @param kind of the sources of all that is told of readers */
export const checkPlan = async (
  daemon: RunningDaemon,
  { expect }: Entry,
  kind: 'fentry' | 'kprobe' | 'tracepoint',
): Promise<void> => {
  const { body } = await daemon.get<Status>('/api/v1/status');
  const sourceOf = (what: string): string | undefined =>
    body.observables.find((observable) => observable.what === what)?.source;
  for (const [what, wanted] of [
    ['reads', `reads-${expect.reads ?? kind}`],
    ['waits', `contention-${kind}`],
  ] as const)
    check(`the plan tells of ${what} by ${wanted}`, sourceOf(what) === wanted, sourceOf(what));
  for (const [what, event] of [
    ['opens', 'opens'],
    ...(kind === 'tracepoint' ? [] : [['retries', 'acquisitions']]),
  ] as const)
    check(
      `the plan tells of ${what} by ${kind} probes`,
      sourceOf(what) === `${event}-${kind}`,
      sourceOf(what),
    );
  if (kind !== 'fentry') return;
  for (const [file, path] of Object.entries(expect.paths)) {
    const seen = body.lock_paths.find((one) => one.file === file);
    const told = `${seen?.path} by ${seen?.by}: ${seen?.evidence}`;
    check(`${file} is served under ${path}`, seen?.path === path, told);
    // Nothing but an ioctl can try a query out.
    if (file !== 'procmap_query' && expect.contentionTracepoints !== false)
      check(`${file}: tried out at the start, and as BTF and symbols say`, seen?.by === 'both', told);
  }
  fact('maps', body.lock_paths.find(({ file }) => file === 'maps')?.path ?? 'unknown');
};
