/** Incidents: stalls over the threshold, by the file whose reader was found. */

import { noFile } from '../ledger/incident.js';
import type { IncidentLedger } from '../ledger/incidents.js';
import type { ProbePlan } from '../probes/plan.js';
import type { Observable } from '../vocabulary.js';
import type { Family } from './family.js';
import { isShown } from './proc-files.js';

export const incidentFamilies = (
  incidents: IncidentLedger,
  plan: () => ProbePlan,
  observed: (what: Observable) => boolean,
): Family[] => [
  {
    name: 'mmaplock_incidents_total',
    help:
      'Incidents, stalls of a process over the threshold, by the file of the first reader found to have a part in it. ' +
      'An incident is counted once, when that reader is found. none: no reader was found; counted when it closes.',
    type: 'counter',
    samples: () =>
      observed('blocks')
        ? Array.from(incidents.files, ([file, value]) => ({ labels: { file }, value })).filter(
            ({ labels: { file }, value }) => file === noFile || isShown('blocks', file, value, plan()),
          )
        : [],
  },
];
