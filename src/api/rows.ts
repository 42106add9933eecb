/** Members that rows of several lists share. */
import { Type } from 'typebox';
import type { DaemonView } from './view.js';

export const nullable = (description: string) => Type.Union([Type.String(), Type.Null()], { description });

/** An amount that is null, never 0, where nothing looks for it: on this host, or for this file. */
export const countOrNull = (description: string) =>
  Type.Union([Type.Integer(), Type.Null()], { description: `${description} Null where not observed.` });
export const secondsOrNull = (description: string) =>
  Type.Union([Type.Number(), Type.Null()], { description: `${description} Null where not observed.` });

/** What is known of a cgroup: members of a row. */
export const identityRow = {
  unit: nullable('systemd unit.'),
  container_id: nullable('Container id.'),
  pod_uid: nullable('Kubernetes pod UID.'),
};

/**
 * The members of {@link identityRow} for a cgroup, which may not be known.
 * @param process who was seen in it, which tells more where its id does not tell all
 */
export const identityOf = (
  view: DaemonView,
  cgroupId: string | undefined,
  process?: Parameters<DaemonView['cgroup']>[1],
) => {
  const identity = cgroupId === undefined ? undefined : view.cgroup(cgroupId, process);
  return {
    unit: identity?.unit ?? null,
    container_id: identity?.containerId ?? null,
    pod_uid: identity?.podUid ?? null,
  };
};

/** A pid as rows hold it. */
export const idOrNull = (id: number | undefined): string | null => (id === undefined ? null : String(id));

/** A filter by name: exactly this one. */
export const nameQuery = Type.Optional(Type.String({ maxLength: 64 }));

/** Whether a filter that was given, if it was, names this value. */
export const matches = (wanted: string | undefined, value: string): boolean =>
  wanted === undefined || wanted === value;
