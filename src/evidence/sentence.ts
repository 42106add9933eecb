/**
 * The sentence of an incident: who stalled whom, for how long, and what else waited. It is made here and nowhere else,
 * and is the same in the log, the API, the page, top and annotations.
 */
import type { Identity, Incident, IncidentReader } from '../ledger/incidents/incident.js';
import { incidentMilliseconds, sharedNanoseconds } from '../ledger/incidents/incident.js';
import { countText, durationText } from '../text/wording.js';
import { actText, operationsText, processText } from './wording.js';

/** What is known of a cgroup; where its id does not tell, the process that was seen in it may. */
export type Resolve = (
  cgroupId: string,
  process: { readonly name: string; readonly pid?: number | undefined },
) => Identity | undefined;

/** A reader with less of the wait than this is told with its share. */
const wholeShare = 0.95;

/** Less of its share without a CPU is not worth a word. */
export const notableOffCpu = 0.1;

/**
 * One or two sentences in plain English. Names in it are as the records hold them: escaped, safe in a terminal.
 * @param resolve what is known now; what the incident itself keeps goes first
 */
export const sentenceOf = (incident: Incident, resolve: Resolve = () => undefined): string => {
  const named = (process: Incident['victim'] | IncidentReader): string =>
    processText(process, incident.identities[process.cgroupId] ?? resolve(process.cgroupId, process));
  const victim = named(incident.victim);
  const worst = worstReader(incident);
  const text =
    worst === undefined
      ? withoutReader(incident, victim)
      : `${[
          `${named(worst)} ${act(worst, victim)} and ${effectOf(incident)}`,
          shareOf(incident, worst),
          offCpuOf(worst),
          convoyOf(incident),
        ]
          .filter((part) => part !== '')
          .join('; ')}.`;
  return incident.interrupted ? `${text} The observation was interrupted meanwhile.` : text;
};

/** Who is most to blame. Where windows show nobody, inspect mode may have seen who held the lock. */
export const worstReader = ({ readers, inspected, victim }: Incident): IncidentReader | undefined => {
  const [seen] = inspected;
  if (readers[0] !== undefined || seen === undefined) return readers[0];
  const self = seen.pid !== undefined && seen.pid === victim.pid;
  return { ...seen, self, waits: 0, nice: undefined, offCpuNanoseconds: undefined };
};

const act = ({ file, self }: IncidentReader, victim: string): string => {
  if (!self) return actText(file, victim);
  if (file === 'procmap_query') return 'asked for its own mappings (PROCMAP_QUERY)';
  return `${file === 'map_files' ? 'listed' : 'read'} its own ${file}`;
};

const isGoingOn = ({ ongoing }: Incident): boolean => ongoing.length > 0;

/** `blocked its munmap for 180 ms`. */
const effectOf = (incident: Incident): string =>
  `${isGoingOn(incident) ? 'has blocked' : 'blocked'} its ${operationsOf(incident)} for ${lengthOf(incident)}`;

const operationsOf = ({ operations }: Incident): string =>
  operationsText(operations.map(({ operation }) => operation));

/**
 * `180 ms`, `3.2 s so far`, `2.1 s of 10 s, in many short waits`, `430 ms in 12 waits, the longest 80 ms`, `2.5 s in 12
 * waits and many short ones, the longest 80 ms`.
 */
const lengthOf = (incident: Incident): string => {
  const { cause, waits, blockedNanoseconds } = incident;
  const blocked = durationText(blockedNanoseconds);
  const sofar = isGoingOn(incident) ? ' so far' : '';
  if (cause === 'share')
    return `${blocked} of ${durationText(incidentMilliseconds(incident) * 1e6)}${sofar}, in many short waits`;
  const shortOnes = sharedNanoseconds(incident) > waits.nanoseconds ? ' and many short ones' : '';
  return waits.count > 1
    ? `${blocked}${sofar} in ${countText(waits.count, 'wait')}${shortOnes}, the longest ${durationText(waits.longestNanoseconds)}`
    : `${blocked}${sofar}`;
};

/** Where it was not all the doing of one reader. */
const shareOf = (incident: Incident, worst: IncidentReader): string => {
  const { readers, others } = incident;
  const all = sharedNanoseconds(incident);
  const share = all === 0 ? 1 : worst.nanoseconds / all;
  const more = Math.max(0, readers.length - 1) + others.readers;
  const had = more > 0 ? `${countText(more, 'more reader')} had a part` : '';
  if (share >= wholeShare) return had;
  return `its share is ${Math.round(share * 100)} %${had === '' ? '' : `, ${had}`}`;
};

/** The reader could have run and had no CPU: whoever waits for it waits for the scheduler. */
const offCpuOf = ({ nanoseconds, offCpuNanoseconds = 0, nice }: IncidentReader): string => {
  if (offCpuNanoseconds === 0 || offCpuNanoseconds < notableOffCpu * nanoseconds) return '';
  const niceness = nice === undefined || nice === 0 ? '' : `, at nice ${nice}`;
  return `it was without a CPU for ${durationText(offCpuNanoseconds)} of it${niceness}`;
};

const convoyOf = ({ convoy: { count } }: Incident): string =>
  count === 0 ? '' : `${countText(count, 'page fault')} queued behind it`;

const withoutReader = (incident: Incident, victim: string): string => {
  const waited = isGoingOn(incident) ? 'has waited' : 'waited';
  const convoy = convoyOf(incident);
  return (
    `${victim} ${waited} for its own mmap_lock for ${lengthOf(incident)}, in ${operationsOf(incident)}` +
    `${convoy === '' ? '' : `; ${convoy}`}. ${soughtOf(incident)}`
  );
};

/** What was looked at where nobody was found, and what was not. */
const soughtOf = (incident: Incident): string => {
  if (incident.lookedFor === 'nothing')
    return 'Whether a reader of a proc file held the lock was not looked at.';
  if (isGoingOn(incident) && incident.waits.count === 0)
    return 'Whether a reader of a proc file holds the lock shows when the wait ends.';
  const when = incident.lookedFor === 'lock_word' ? ' when a wait began, and only then was it looked at' : '';
  return (
    `No reader of a proc file was seen to hold the lock${when}; its own reads of such files are seen in part, and access by ` +
    'cmdline, environ, mem or ptrace is not looked at.'
  );
};
