/** Incidents as the ledger makes them from records, for tests of what tells of them. */
import assert from 'node:assert/strict';
import type { Incident } from '../../src/ledger/incident.js';
import { IncidentLedger, type IncidentOptions } from '../../src/ledger/incidents.js';
import type { Stall, Tick } from '../../src/records.js';

/** The one incident that these records make. */
export const incidentOf = (records: readonly (Stall | Tick)[], options: IncidentOptions = {}): Incident => {
  const ledger = new IncidentLedger(options);
  for (const record of records) {
    if (record.kind === 'stall') ledger.stall(record);
    else ledger.tick(record);
  }
  const incidents = ledger.list();
  assert.equal(incidents.length, 1);
  return incidents[0]!;
};
