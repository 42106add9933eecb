/**
 * An incident as a line of a file: format version 1. The members are those of Incident; JSON leaves out those that are
 * undefined. What is read is checked as strictly as what comes from outside, for it is shown, logged and asked for by
 * id. A member may be added as an optional one; any other change is a new version.
 */
import { type Static, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import type { Clock } from '../clock.js';
import { type Incident, lookedFors } from '../ledger/incidents/incident.js';
import { lockPaths, operations, procFiles } from '../vocabulary.js';
import { formatVersion } from './line-reader.js';

const orMissing = <Schema extends TSchema>(schema: Schema) =>
  Type.Optional(Type.Unsafe<Static<Schema> | undefined>(schema));

const text = Type.String({ maxLength: 4096, pattern: '^[^\\x00-\\x1f\\x7f]*$' });
const amount = Type.Number({ minimum: 0 });
const count = Type.Integer({ minimum: 0 });
/** Milliseconds since the epoch, within what a Date holds. */
const time = Type.Number({ minimum: 0, maximum: 8.64e15 });
const pid = orMissing(Type.Integer({ minimum: 0, maximum: 2 ** 31 }));
const file = Type.Enum([...procFiles]);
const operation = Type.Enum([...operations]);

const named = { name: text, cgroupId: Type.String({ pattern: '^[0-9]{1,20}$' }) };
const seen = { ...named, pid, tid: pid };

const storedIncident = Type.Object({
  v: Type.Literal(formatVersion),
  id: Type.String({ pattern: '^[0-9A-Za-z-]{1,64}$' }),
  cause: Type.Enum(['wait', 'share']),
  openedAt: time,
  lastAt: time,
  closedAt: orMissing(time),
  victim: Type.Object(seen),
  readers: Type.Array(
    Type.Object({
      ...named,
      pid,
      file,
      self: Type.Boolean(),
      nanoseconds: amount,
      waits: count,
      nice: orMissing(Type.Integer({ minimum: -20, maximum: 19 })),
      offCpuNanoseconds: orMissing(amount),
    }),
  ),
  others: Type.Object({ readers: count, nanoseconds: amount }),
  files: Type.Array(
    Type.Object({ file, lockPath: orMissing(Type.Enum([...lockPaths])), nanoseconds: amount }),
  ),
  operations: Type.Array(Type.Object({ operation, count, nanoseconds: amount })),
  waits: Type.Object({ count, nanoseconds: amount, longestNanoseconds: amount }),
  unknownNanoseconds: amount,
  ongoing: Type.Array(Type.Object({ tid: count, operation, since: time, nanoseconds: amount })),
  blockedNanoseconds: amount,
  convoy: Type.Object({ count, nanoseconds: amount, longestQueue: count }),
  timeline: Type.Object({
    stepMilliseconds: Type.Number({ exclusiveMinimum: 0 }),
    points: Type.Array(
      Type.Object({ at: time, blockedNanoseconds: amount, waits: count, convoyWaits: count }),
    ),
  }),
  evidence: Type.Enum(['windows', 'overlap', 'none']),
  lookedFor: orMissing(Type.Enum([...lookedFors])),
  inspected: Type.Array(Type.Object({ ...seen, file, nanoseconds: amount })),
  stacks: Type.Array(Type.Object({ frames: Type.Array(text), count })),
  interrupted: Type.Boolean(),
  identities: Type.Record(
    Type.String({ pattern: '^[0-9]{1,20}$' }),
    Type.Object({
      unit: orMissing(text),
      container_id: orMissing(text),
      pod_uid: orMissing(text),
    }),
  ),
});

const eachOf = <From, To>(members: Readonly<Record<string, From>>, change: (member: From) => To) =>
  Object.fromEntries(Object.entries(members).map(([key, member]) => [key, change(member)]));

/** The object that is written: with times of day, for a later daemon does not know the clock of this one. */
export const toStored = (
  { openedAt, lastAt, closedAt, ongoing, timeline, identities, ahead, ...incident }: Incident,
  clock: Pick<Clock, 'timeOfDay'>,
): object => {
  // One for all of it: it may be set while this is written.
  const moved = ahead ?? clock.timeOfDay(0);
  return {
    v: formatVersion,
    ...incident,
    openedAt: openedAt + moved,
    lastAt: lastAt + moved,
    closedAt: closedAt === undefined ? undefined : closedAt + moved,
    ongoing: ongoing.map((wait) => ({ ...wait, since: wait.since + moved })),
    timeline: {
      ...timeline,
      points: timeline.points.map((point) => ({ ...point, at: point.at + moved })),
    },
    identities: eachOf(identities, ({ unit, containerId, podUid }) => ({
      unit,
      container_id: containerId,
      pod_uid: podUid,
    })),
  };
};

/** The incident of a line; undefined where it is none of version 1. Members that are not known are left out. */
export const fromStored = (line: object): Incident | undefined => {
  if (!Value.Check(storedIncident, line)) return undefined;
  const { v, identities, ...incident } = Value.Clean(storedIncident, line) as Static<typeof storedIncident>;
  const known = eachOf(identities, ({ unit, container_id, pod_uid }) => ({
    unit,
    containerId: container_id,
    podUid: pod_uid,
  }));
  // A member that JSON left out reads as undefined: the one difference there is.
  return { ...incident, identities: known } as Incident;
};
