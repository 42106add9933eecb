/** The dashboard of one host. */
import { incidents } from './annotations.mjs';
import { dashboard } from './dashboard.mjs';
import { blocks } from './host/blocks.mjs';
import { first } from './host/first.mjs';
import { health } from './host/health.mjs';
import { readers } from './host/readers.mjs';
import { waits } from './host/waits.mjs';
import { fleetUid, hostUid } from './selectors.mjs';
import { hostVariables } from './variables.mjs';

export const host = () =>
  dashboard({
    uid: hostUid,
    title: 'mmap_lock: host',
    says: 'Who waits for mmap_lock on one host, doing what, and which reader of /proc/PID/maps, smaps and the like made them wait. Needs no recording rules.',
    from: 'now-1h',
    variables: hostVariables,
    rows: [first, blocks, waits, readers, health],
    annotations: [incidents],
    other: { title: 'Fleet', uid: fleetUid },
  });
