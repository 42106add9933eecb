/** Records for a while what a daemon of the command's own sees. */

import type { DaemonView } from '../../api/view.js';
import type { Clock } from '../../clock.js';
import type { Incident } from '../../ledger/incidents/incident.js';
import type { BlindReason } from '../../vocabulary.js';
import { pause } from '../own-daemon.js';

/** A time in which nothing was seen. */
export interface Gap {
  readonly reason: BlindReason;
  readonly seconds: number;
}

/** What was recorded. The totals are in the ledger of the view, which began with the recording. */
export interface Recording<View = DaemonView> {
  readonly view: View;
  /** From the begin of the first second that was told of to the end of the last, by the clock of the daemon. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly gaps: readonly Gap[];
  /** As they were at the end, in the order of opening. */
  readonly incidents: readonly Incident[];
}

export interface RecordOptions {
  readonly seconds: number;
  readonly clock: Clock;
  readonly ending: AbortSignal;
  /** Told now and then of the seconds that are recorded. */
  readonly onProgress?: ((seconds: number) => void) | undefined;
}

/** Seconds of a recording in which the host was observed. */
export const observedSeconds = ({ startedAt, endedAt, gaps }: Recording<unknown>): number =>
  Math.max(0, (endedAt - startedAt) / 1000 - gaps.reduce((sum, gap) => sum + gap.seconds, 0));

/** A tick tells of the second before it. */
const tickMilliseconds = 1000;

/** The tick that tells of the last second is waited for so long: a tracer that is down sends none. */
const lastTickMilliseconds = 1500;

/** Resolves after so many seconds, or when the command is to end; the view is observing when this is called. */
export const recordFor = async <View extends Pick<DaemonView, 'ledger' | 'now'>>(
  view: View,
  { seconds, clock, ending, onProgress }: RecordOptions,
): Promise<Recording<View>> => {
  const { tracer, incidents } = view.ledger;
  const startedAt = (tracer.lastTickAt ?? view.now()) - tickMilliseconds;
  const lastTickAt = startedAt + seconds * 1000;
  // Before it observed it was blind, too, which is no gap of the recording.
  const blindBefore = tracer.blindSeconds(view.now());
  const end = clock.monotonic() + lastTickAt - view.now();
  const half = tickMilliseconds / 2;
  const isTold = (): boolean => (tracer.lastTickAt ?? 0) >= lastTickAt - half;
  const isOver = (now: number): boolean =>
    now >= end - half && (isTold() || now >= end + lastTickMilliseconds);
  while (!ending.aborted && !isOver(clock.monotonic())) {
    await pause(clock, 200, ending);
    onProgress?.(Math.max(0, Math.min(seconds, ((tracer.lastTickAt ?? startedAt) - startedAt) / 1000)));
  }
  return {
    view,
    startedAt,
    endedAt: tracer.up ? (tracer.lastTickAt ?? view.now()) : view.now(),
    gaps: [...tracer.blindSeconds(view.now())]
      .map(([reason, blind]) => ({ reason, seconds: blind - (blindBefore.get(reason) ?? 0) }))
      .filter((gap) => gap.seconds > 0),
    // Those still open change when the tracer is ended.
    incidents: structuredClone(incidents.list()),
  };
};
