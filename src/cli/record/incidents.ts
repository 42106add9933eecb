/** The incidents of a recording, in words. */

import type { DaemonView } from '../../api/view.js';
import { clockOf, isoTime } from '../../clock.js';
import { adviceFor } from '../../evidence/advice.js';
import { sentenceOf } from '../../evidence/sentence.js';
import { countText } from '../../text/wording.js';
import type { Recording } from './recording.js';

const incidentsShown = 10;

type Seen = Pick<DaemonView, 'ledger' | 'plan' | 'cgroup' | 'config' | 'timeOfDay'>;

/** Each with its sentence and what to do about it; the longest, in the order in which they began. */
export const incidentLines = ({ view, incidents }: Recording<Seen>): string[] => {
  const { wait_ms, share_percent, window_seconds } = view.config.incidents;
  const threshold = `${wait_ms} ms in one wait, or ${share_percent} % of ${window_seconds} s behind readers`;
  const { observed } = view.plan().observables.stalls;
  // Where stalls are not told, only waits that still go on at a tick open incidents: none is no good news.
  if (incidents.length === 0) return observed ? [`No incident: no writer waited for ${threshold}.`] : [];
  const worst = incidents
    .toSorted((a, b) => b.blockedNanoseconds - a.blockedNanoseconds)
    .slice(0, incidentsShown)
    .toSorted((a, b) => a.openedAt - b.openedAt);
  const more = incidents.length - worst.length;
  return [
    `${countText(incidents.length, 'incident')} (a writer waited for ${threshold}):`,
    ...worst.flatMap((incident) => [
      `  ${isoTime(clockOf(incident, view), incident.openedAt).slice(11, 23)} ${sentenceOf(incident, view.cgroup)}`,
      ...adviceFor(incident).map((advice) => `               ${advice}`),
    ]),
    ...(more > 0 ? [`  and ${more} shorter`] : []),
    ...(view.ledger.incidents.notOpened > 0
      ? [
          `  Stalls of ${countText(view.ledger.incidents.notOpened, 'more process')} came while too many were open.`,
        ]
      : []),
  ];
};
