/** Incidents: stalls over the threshold, by the file whose reader was found, and what bounds and a disk have cost. */

import { noFile } from '../ledger/incidents/incident.js';
import type { IncidentLedger } from '../ledger/incidents/incidents.js';
import type { ProbePlan } from '../probes/plan.js';
import type { IncidentLosses } from '../store/incident-store.js';
import type { Observable } from '../vocabulary.js';
import type { Family } from './family.js';
import { isShown } from './proc-files.js';

export interface IncidentSources {
  readonly incidents: IncidentLedger;
  readonly losses: () => IncidentLosses;
  readonly plan: () => ProbePlan;
  /** Planned, and a tracer has reported. */
  readonly observed: (what: Observable) => boolean;
}

export const incidentFamilies = ({ incidents, losses, plan, observed }: IncidentSources): Family[] => [
  {
    name: 'mmaplock_incidents_total',
    help:
      'Incidents, stalls of a process over the threshold, by the file of the first reader found to have a part in it. ' +
      'An incident is counted once, when that reader is found. none: no reader was found; counted when it closes.',
    type: 'counter',
    samples: () =>
      observed('stalls')
        ? Array.from(incidents.files, ([file, value]) => ({ labels: { file }, value })).filter(
            ({ labels: { file }, value }) => file === noFile || isShown('blocks', file, value, plan()),
          )
        : [],
  },
  {
    name: 'mmaplock_incident_losses_total',
    help:
      'What is missing of incidents. too_many_open: stalls that opened none, for as many as can be were open; dropped: ' +
      'incidents that left memory for newer ones; not_written: tries to write to incidents.directory that failed, to be ' +
      'tried again; lost: lines given up.',
    type: 'counter',
    samples: () => {
      if (!observed('stalls')) return [];
      const { notWritten, lost } = losses();
      return Object.entries({
        too_many_open: incidents.notOpened,
        dropped: incidents.dropped,
        not_written: notWritten,
        lost,
      }).map(([reason, value]) => ({ labels: { reason }, value }));
    },
  },
];
