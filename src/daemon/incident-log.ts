/**
 * Tells of incidents in the log: one line each, when it closes, or once it has lasted for some seconds. At most ten a
 * minute; how many were left out is told by the next one.
 */
import { type Resolve, sentenceOf } from '../evidence/sentence.js';
import { type Incident, incidentMilliseconds, mainFile } from '../ledger/incidents/incident.js';
import type { Log } from '../log/log.js';

const minuteMilliseconds = 60_000;
const linesPerMinute = 10;

/** One still open is told of when it has lasted this long. */
export const longMilliseconds = 10_000;

/** Told while they were open, at most as many as are open at once: so that they are not told again. */
const rememberedLimit = 1000;

export interface IncidentTeller {
  /** An incident has closed. */
  closed(incident: Incident): void;
  /** These are open at this moment. */
  open(incidents: Iterable<Incident>): void;
}

export interface IncidentTellerOptions {
  readonly log: Pick<Log, 'warn'>;
  readonly resolve: Resolve;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

export const createIncidentTeller = ({ log, resolve, now }: IncidentTellerOptions): IncidentTeller => {
  const told = new Set<string>();
  let lines: number[] = [];
  let unsaid = 0;
  const tell = (incident: Incident): void => {
    const at = now();
    lines = lines.filter((line) => at - line < minuteMilliseconds);
    if (lines.length >= linesPerMinute) {
      unsaid += 1;
      return;
    }
    lines.push(at);
    log.warn(
      {
        incident: incident.id,
        victim: incident.victim.name,
        reader: incident.readers[0]?.name,
        file: mainFile(incident),
        blocked_seconds: incident.blockedNanoseconds / 1e9,
        evidence: incident.evidence,
        ...(unsaid > 0 ? { unsaid } : {}),
      },
      sentenceOf(incident, resolve),
    );
    unsaid = 0;
  };
  return {
    closed: (incident) => {
      if (!told.delete(incident.id)) tell(incident);
    },
    open: (incidents) => {
      for (const incident of incidents) {
        if (incidentMilliseconds(incident) < longMilliseconds || told.has(incident.id)) continue;
        told.add(incident.id);
        if (told.size > rememberedLimit) told.delete(told.values().next().value as string);
        tell(incident);
      }
    },
  };
};
