/** Incidents in a directory, so that they outlive the daemon. */
import type { Clock } from '../clock.js';
import type { Config } from '../config/schema.js';
import { MmaplockError, messageOf } from '../errors.js';
import type { Incident } from '../ledger/incidents/incident.js';
import type { Log } from '../log/log.js';
import { fromStored, toStored } from './incident-schema.js';
import { type LinesRead, readLines } from './line-reader.js';
import { LineWriter } from './line-writer.js';
import { makeDirectory } from './own-files.js';

/** What could not be kept, so far. */
export interface IncidentLosses {
  /** Tries to write that failed; what waits is written with the next. */
  readonly notWritten: number;
  /** Lines given up: too long, or too many were waiting. */
  readonly lost: number;
}

export interface IncidentStore {
  /** What was kept before, oldest first: for IncidentLedger.restore(). */
  readonly restored: readonly Incident[];
  /**
   * Keeps an incident as it is now. One that is kept again, for it was closed or has new evidence, takes the place of
   * what was kept of it. Never throws: what cannot be written is told once in the log.
   */
  keep(incident: Incident): void;
  readonly losses: IncidentLosses;
  /** Resolves when all is written that can be. Never rejects. */
  flush(): Promise<void>;
}

/** Keeps nothing: no directory is configured. */
const nowhere: IncidentStore = {
  restored: [],
  keep: () => {},
  losses: { notWritten: 0, lost: 0 },
  flush: () => Promise.resolve(),
};

/**
 * Opens the directory of `incidents.directory`, makes it where there is none, and reads the newest incidents, at most
 * `incidents.keep`. Never rejects: where that fails, the log says so and incidents are tried to be kept all the same.
 */
export const openIncidentStore = async (
  config: Config['incidents'],
  log: Pick<Log, 'info' | 'warn'>,
  clock: Pick<Clock, 'now' | 'timeOfDay'>,
): Promise<IncidentStore> => {
  const { directory, directory_mib: mebibytes, keep: limit } = config;
  if (directory === '') return nowhere;
  const bytes = mebibytes * 2 ** 20;
  const tellFailure = (cause: unknown): void => {
    const error = new MmaplockError(
      'incidents_unwritable',
      `incidents cannot be kept in ${directory}, only in memory: ${messageOf(cause)}`,
      { field: 'incidents.directory', cause },
    );
    log.warn({ err: error }, error.message);
  };
  const writer = new LineWriter({
    directory,
    bytes,
    now: () => clock.timeOfDay(clock.now()),
    onFailure: tellFailure,
  });
  let restored: Incident[] = [];
  try {
    await makeDirectory(directory);
    const read = await readLines({ directory, limit, bytes, check: fromStored, keyOf: ({ id }) => id });
    restored = read.values.toReversed();
    tellSkipped(read, directory, log);
  } catch (error) {
    writer.failed(error);
  }
  return {
    restored,
    keep: (incident) => writer.append(toStored(incident, clock)),
    get losses() {
      return { notWritten: writer.failures, lost: writer.lost };
    },
    flush: () => writer.flush(),
  };
};

const tellSkipped = (
  { values, skipped, firstBad }: LinesRead<Incident>,
  directory: string,
  log: Pick<Log, 'info' | 'warn'>,
): void => {
  const { truncated, unknownVersion, malformed, overlong, unreadable } = skipped;
  const counts = { truncated, unknown_version: unknownVersion, malformed, overlong, unreadable };
  if (Object.values(counts).some((count) => count > 0))
    log.warn(
      { directory, read: values.length, ...counts, first: firstBad },
      'some of the incidents that were kept could not be read; they are left out',
    );
  else if (values.length > 0)
    log.info({ directory, read: values.length }, 'incidents that were kept are back');
};
