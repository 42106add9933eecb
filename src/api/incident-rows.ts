/** Incidents as the API shows them: rows of the list, and one with all its evidence. */
import { Type } from 'typebox';
import { type Clock, clockOf, isoTime } from '../clock.js';
import { adviceFor } from '../evidence/advice.js';
import { type Resolve, sentenceOf } from '../evidence/sentence.js';
import { type Incident, incidentMilliseconds, lookedFors, mainFile } from '../ledger/incidents/incident.js';
import { lockPaths, operations, procFiles } from '../vocabulary.js';
import type { Order } from './lists/order.js';
import { identityRow, idOrNull, nullable } from './rows.js';
import type { DaemonView } from './view.js';

const file = Type.Enum([...procFiles]);
const time = (description: string) => Type.String({ format: 'date-time', description });
const timeOrNull = (description: string) =>
  Type.Union([Type.String({ format: 'date-time' }), Type.Null()], { description });
const count = (description: string) => Type.Integer({ description });
const seconds = (description: string) => Type.Number({ description });

const processRow = {
  name: Type.String({ description: 'comm of the thread-group leader; ~unknown: it was gone.' }),
  pid: nullable('Null where it was gone.'),
  cgroup_id: Type.String(),
  ...identityRow,
};

const readerRow = Type.Object({
  ...processRow,
  file,
  is_victim: Type.Boolean({ description: 'It read its own file.' }),
  share_seconds: seconds(
    'Its share of the waits told one by one, thread-seconds, and of windows of many short waits, wall time.',
  ),
  waits_total: count('Waits it had a part in, short ones as well.'),
  nice: Type.Union([Type.Integer(), Type.Null()], { description: 'Null where it was gone.' }),
  off_cpu_seconds: Type.Union([Type.Number(), Type.Null()], {
    description:
      'How long of its share it could have run and had no CPU. Null where this kernel does not tell.',
  }),
});

const members = {
  id: Type.String(),
  state: Type.Enum(['open', 'closed']),
  sentence: Type.String({ description: 'Who stalled whom, for how long, and what else waited.' }),
  advice: Type.Array(Type.String(), { description: 'What to do about it; empty where no reader was found.' }),
  evidence: Type.Enum(['windows', 'overlap', 'none'], {
    description:
      'windows: shares are an estimate, by overlap with what readers did between their grant of the lock and the ' +
      'end of their read(); overlap: measured on real holds by inspect mode; none: no reader was found.',
  }),
  looked_for: Type.Union([Type.Enum([...lookedFors]), Type.Null()], {
    description:
      'How it was looked for readers, the least of it while it lasted. windows: by who takes the lock and when its ' +
      'read ends; lock_word: only by who had the lock when a wait began; nothing: not at all. Null where an earlier ' +
      'version kept it.',
  }),
  cause: Type.Enum(['wait', 'share'], {
    description: 'What opened it: one long wait, or many short ones that took too much of the time.',
  }),
  opened_at: time('When the first of its waits began.'),
  last_at: time('When the last of its waits ended, or was still seen.'),
  closed_at: timeOrNull('Null while it is open.'),
  duration_seconds: seconds('From opened_at to last_at.'),
  victim: Type.Object(processRow),
  file: Type.Union([file, Type.Null()], {
    description: 'The file most of it was behind; null: none was found.',
  }),
  lock_path: Type.Union([Type.Enum([...lockPaths]), Type.Null()], {
    description: 'How the kernel served that file then.',
  }),
  readers: Type.Array(readerRow, { description: 'Most to blame first.' }),
  other_readers_total: count('Further readers, with the smallest shares.'),
  other_readers_share_seconds: seconds('Their shares.'),
  operations: Type.Array(
    Type.Object({
      operation: Type.Enum([...operations]),
      waits_total: count('Waits that ended.'),
      wait_seconds_total: seconds('Thread-seconds.'),
    }),
  ),
  waits_total: count('Waits told one by one that ended.'),
  wait_seconds_total: seconds('Their thread-seconds.'),
  longest_wait_seconds: seconds('The longest of them.'),
  ongoing_waits: count('Waits that still went on at the last tick.'),
  blocked_seconds: seconds('Wall time with a writer blocked.'),
  unknown_seconds: seconds(
    "Of wait_seconds_total and of windows of many short waits, what lies at no reader's door: with all shares it is " +
      'all of them.',
  ),
  convoy_waits_total: count(
    'Read waits, page faults above all, that queued behind the blocked writers, told or not.',
  ),
  convoy_wait_seconds_total: seconds('Their thread-seconds.'),
  convoy_longest_queue: count('The most of them at once behind one wait that was told.'),
  interrupted: Type.Boolean({ description: 'The tracer ended meanwhile: something of it was not seen.' }),
};

export const incidentRow = Type.Object(members);

export const incidentDetail = Type.Object({
  ...members,
  timeline: Type.Object({
    step_seconds: Type.Number(),
    points: Type.Array(
      Type.Object({
        at: time('Start of the step. Steps in which nothing happened are left out.'),
        blocked_seconds: seconds('Thread-seconds that writers waited in this step.'),
        waits_total: count('Waits that ended in it.'),
        convoy_waits_total: count('Read waits that had queued behind these.'),
      }),
    ),
  }),
  inspected_readers: Type.Array(
    Type.Object({ ...processRow, file, overlap_seconds: seconds('Its holds of the lock within the waits.') }),
  ),
  kernel_stacks: Type.Array(
    Type.Object({ frames: Type.Array(Type.String()), count: count('Times it was seen.') }),
    { description: 'Of blocked writers, where inspect mode was on.' },
  ),
});

/** The members by which incidents can be sorted. */
export const measureIncident = (incident: Incident, clock: Pick<Clock, 'timeOfDay'>) => ({
  opened_at: isoTime(clockOf(incident, clock), incident.openedAt),
  duration_seconds: incidentMilliseconds(incident) / 1000,
  blocked_seconds: incident.blockedNanoseconds / 1e9,
});

export const describeIncident = (incident: Incident, view: DaemonView) => {
  const named = namedIn(incident, view);
  const clock = clockOf(incident, view);
  const { waits, convoy, others, files } = incident;
  return {
    id: incident.id,
    state: incident.closedAt === undefined ? ('open' as const) : ('closed' as const),
    sentence: sentenceOf(incident, view.cgroup),
    advice: adviceFor(incident),
    evidence: incident.evidence,
    looked_for: incident.lookedFor ?? null,
    cause: incident.cause,
    ...measureIncident(incident, view),
    last_at: isoTime(clock, incident.lastAt),
    closed_at: incident.closedAt === undefined ? null : isoTime(clock, incident.closedAt),
    victim: named(incident.victim),
    file: mainFile(incident) ?? null,
    lock_path: files[0]?.lockPath ?? null,
    readers: incident.readers.map((reader) => ({
      ...named(reader),
      file: reader.file,
      is_victim: reader.self,
      share_seconds: reader.nanoseconds / 1e9,
      waits_total: reader.waits,
      nice: reader.nice ?? null,
      off_cpu_seconds: reader.offCpuNanoseconds === undefined ? null : reader.offCpuNanoseconds / 1e9,
    })),
    other_readers_total: others.readers,
    other_readers_share_seconds: others.nanoseconds / 1e9,
    operations: incident.operations.map(({ operation, count, nanoseconds }) => ({
      operation,
      waits_total: count,
      wait_seconds_total: nanoseconds / 1e9,
    })),
    waits_total: waits.count,
    wait_seconds_total: waits.nanoseconds / 1e9,
    longest_wait_seconds: waits.longestNanoseconds / 1e9,
    ongoing_waits: incident.ongoing.length,
    unknown_seconds: incident.unknownNanoseconds / 1e9,
    convoy_waits_total: convoy.count,
    convoy_wait_seconds_total: convoy.nanoseconds / 1e9,
    convoy_longest_queue: convoy.longestQueue,
    interrupted: incident.interrupted,
  };
};

export const describeIncidentFully = (incident: Incident, view: DaemonView) => {
  const named = namedIn(incident, view);
  const clock = clockOf(incident, view);
  const { stepMilliseconds, points } = incident.timeline;
  return {
    ...describeIncident(incident, view),
    timeline: {
      step_seconds: stepMilliseconds / 1000,
      points: points.map(({ at, blockedNanoseconds, waits, convoyWaits }) => ({
        at: isoTime(clock, at),
        blocked_seconds: blockedNanoseconds / 1e9,
        waits_total: waits,
        convoy_waits_total: convoyWaits,
      })),
    },
    inspected_readers: incident.inspected.map((reader) => ({
      ...named(reader),
      file: reader.file,
      overlap_seconds: reader.nanoseconds / 1e9,
    })),
    kernel_stacks: incident.stacks.map(({ frames, count }) => ({ frames: [...frames], count })),
  };
};

/** Names processes of an incident; what it keeps of their cgroups goes before what is known now. */
const namedIn = ({ identities }: Incident, view: DaemonView) => {
  const resolve: Resolve = view.cgroup;
  return (process: {
    readonly name: string;
    readonly cgroupId: string;
    readonly pid: number | undefined;
  }) => {
    const { name, cgroupId, pid } = process;
    const { unit, containerId, podUid } = identities[cgroupId] ?? resolve(cgroupId, process) ?? {};
    return {
      name,
      pid: idOrNull(pid),
      cgroup_id: cgroupId,
      unit: unit ?? null,
      container_id: containerId ?? null,
      pod_uid: podUid ?? null,
    };
  };
};

/** By what the list of incidents may be sorted. */
export const incidentOrder = (
  view: DaemonView,
): Order<Incident, keyof ReturnType<typeof measureIncident>> => ({
  members: ['opened_at', 'duration_seconds', 'blocked_seconds'],
  measure: (incident) => measureIncident(incident, view),
  key: ({ id }) => id,
  normally: '-opened_at',
});
