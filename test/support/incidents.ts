/** Incidents as the ledger makes them from records, for tests of what tells of them. */
import assert from 'node:assert/strict';
import type { Incident } from '../../src/ledger/incidents/incident.js';
import type { IncidentOptions } from '../../src/ledger/incidents/options.js';
import { Ledger } from '../../src/ledger/ledger.js';
import type { Stall, Tick } from '../../src/records.js';

/** The one incident that these records make. */
export const incidentOf = (records: readonly (Stall | Tick)[], options: IncidentOptions = {}): Incident => {
  const ledger = new Ledger({
    waits: { slots: 50, rowLimit: 500, label: (name) => name },
    blocksObserved: () => true,
    incidents: options,
  });
  for (const record of records) ledger.apply(record);
  const incidents = ledger.incidents.list();
  assert.equal(incidents.length, 1);
  return incidents[0]!;
};
