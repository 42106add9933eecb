/** What to do about an incident: the setting of a reader we know, else the kernel that ends it, and who lacks CPU. */
import type { Incident, IncidentReader } from '../ledger/incidents/incident.js';
import { durationText } from '../text/wording.js';
import type { LockPath, ProcFile } from '../vocabulary.js';
import { freeingKernel, knownReaders } from './advice-data.js';
import { notableOffCpu, worstReader } from './sentence.js';

/** TASK_COMM_LEN (include/linux/sched.h) without its NUL: a comm holds no more of a program's name. */
const commLength = 15;

/** Readers whose advice is given at most; the others had little to do with it. */
const adviceLimit = 3;

/**
 * Advice for the readers of an incident, the most to blame first; empty where none was found: then its own threads
 * are in each other's way, and no setting of a reader helps.
 */
export const adviceFor = (incident: Incident): string[] => {
  const worst = worstReader(incident);
  const readers = incident.readers.length > 0 ? incident.readers : worst === undefined ? [] : [worst];
  const pathOf = (file: ProcFile): LockPath | undefined =>
    incident.files.find((share) => share.file === file)?.lockPath;
  const texts = readers
    .slice(0, adviceLimit)
    .flatMap((reader) => [
      ...(settingOf(reader) ?? kernelFor(reader.file, pathOf(reader.file))),
      ...schedulingOf(reader),
    ]);
  return [...new Set(texts)];
};

const settingOf = ({ name, file }: IncidentReader): string[] | undefined => {
  const found = knownReaders.filter(
    ({ programs, files }) =>
      files.includes(file) && programs.some((program) => program.slice(0, commLength) === name),
  );
  return found.length === 0 ? undefined : found.map(({ text }) => text);
};

/** No kernel is better where the file is served without mmap_lock already. */
const kernelFor = (file: ProcFile, lockPath: LockPath | undefined): string[] => {
  if (file === 'remote' || lockPath === 'per_vma_lock' || lockPath === 'rcu_snapshot') return [];
  const kernel = freeingKernel[file];
  const thing = file === 'procmap_query' ? 'PROCMAP_QUERY' : file;
  return [
    kernel === undefined
      ? `No kernel up to 7.3 serves ${thing} without mmap_lock: use it less often, or not at all.`
      : `Use ${thing} less often; since Linux ${kernel} its readers lock one mapping at a time.`,
  ];
};

const schedulingOf = ({ name, nanoseconds, offCpuNanoseconds = 0, nice }: IncidentReader): string[] => {
  if (offCpuNanoseconds === 0 || offCpuNanoseconds < notableOffCpu * nanoseconds) return [];
  const low = nice !== undefined && nice > 0 ? `its nice value is ${nice}; ` : '';
  return [
    `\`${name}\` had no CPU for ${durationText(offCpuNanoseconds)} while others waited for it: ${low}` +
      'raise its priority, or its CPU quota.',
  ];
};
