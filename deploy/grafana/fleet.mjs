/** The dashboard of a fleet. */
import { dashboard } from './dashboard.mjs';
import { cost } from './fleet/cost.mjs';
import { first } from './fleet/first.mjs';
import { health } from './fleet/health.mjs';
import { reader } from './fleet/reader.mjs';
import { storms } from './fleet/storms.mjs';
import { upgrade } from './fleet/upgrade.mjs';
import { fleetUid, hostUid } from './selectors.mjs';
import { fleetVariables } from './variables.mjs';

export const fleet = () =>
  dashboard({
    uid: fleetUid,
    title: 'mmap_lock: fleet',
    says: 'Which readers of /proc/PID/maps, smaps and the like make others wait for mmap_lock, across all hosts that run mmaplockd. Needs the recording rules of deploy/prometheus.',
    from: 'now-6h',
    variables: fleetVariables,
    rows: [first, upgrade, reader, storms, health, cost],
    other: { title: 'Host', uid: hostUid },
  });
