/** How the bpftrace of this host is found, learnt and started. */
import { runCanary } from '../bpftrace/dialect.js';
import { createFileMemory } from '../bpftrace/file-memory.js';
import { type FoundBpftrace, findBpftrace, readVersion } from '../bpftrace/find.js';
import { startSession } from '../bpftrace/process/session.js';
import type { SupervisorOptions } from '../bpftrace/process/supervise.js';

/** What a test has in place of a bpftrace. */
export type Tracing = Pick<SupervisorOptions, 'find' | 'learnDialect' | 'startSession'>;

/** What was learnt of a bpftrace is remembered as long as its file stays the same. */
export const tracingWith = (path: string): Tracing => {
  const versionOf = createFileMemory(({ path: found }: { readonly path: string }, signal) =>
    readVersion([found], process.env, signal),
  );
  return {
    find: (signal) =>
      findBpftrace({
        path: path || 'bpftrace',
        env: process.env,
        versionOf: (found) => versionOf(found, signal),
      }),
    learnDialect: createFileMemory(({ path: found, version }: FoundBpftrace, signal) =>
      runCanary([found], { version, signal }),
    ),
    startSession,
  };
};
