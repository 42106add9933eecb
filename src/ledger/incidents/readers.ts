/** Who is to blame for an incident: readers with their shares, the largest first, and their files. */
import type { SeenProcess, StallReader } from '../../records.js';
import type { LockPath, ProcFile } from '../../vocabulary.js';
import type { Incident, IncidentFileShare, IncidentReader } from './incident.js';

type Draft<Row> = { -readonly [Member in keyof Row]: Row[Member] };

/** Its part of one wait, or of so many in a window of short ones. */
export interface ReaderPart extends Omit<StallReader, 'tid'> {
  readonly waits?: number;
}

/** Readers told apart; the smallest shares beyond them are only a sum. */
export const readerLimit = 16;

export class IncidentReaders {
  readonly #lockPath: (file: ProcFile) => LockPath | undefined;
  readonly #readers = new Map<string, Draft<IncidentReader>>();
  readonly #files = new Map<ProcFile, Draft<IncidentFileShare>>();
  readonly #others = { readers: 0, nanoseconds: 0 };

  constructor(lockPath: (file: ProcFile) => LockPath | undefined) {
    this.#lockPath = lockPath;
  }

  /** As these are now; neither changes the other from here on. */
  copy(): IncidentReaders {
    const copy = new IncidentReaders(this.#lockPath);
    for (const [key, reader] of this.#readers) copy.#readers.set(key, { ...reader });
    for (const [file, share] of this.#files) copy.#files.set(file, { ...share });
    Object.assign(copy.#others, this.#others);
    return copy;
  }

  /** The readers of one wait of a victim, or of one window. */
  add(readers: readonly ReaderPart[], victim: SeenProcess): void {
    for (const reader of readers) {
      this.#addShare(reader, reader.pid !== undefined && reader.pid === victim.pid);
      const { file, nanoseconds } = reader;
      const share = this.#files.get(file) ?? { file, lockPath: this.#lockPath(file), nanoseconds: 0 };
      share.nanoseconds += nanoseconds;
      this.#files.set(file, share);
    }
    while (this.#readers.size > readerLimit) this.#dropSmallest();
  }

  list(): Pick<Incident, 'readers' | 'others' | 'files'> {
    return {
      readers: Array.from(this.#readers.values(), (reader) => ({ ...reader })).sort(mostFirst),
      others: { ...this.#others },
      files: Array.from(this.#files.values(), (share) => ({ ...share })).sort(mostFirst),
    };
  }

  #addShare({ name, cgroupId, pid, file, waits = 1, ...told }: ReaderPart, self: boolean): void {
    const key = JSON.stringify([name, cgroupId, file, self]);
    const known = this.#readers.get(key);
    this.#readers.set(key, {
      name,
      cgroupId,
      file,
      self,
      pid: pid ?? known?.pid,
      nanoseconds: (known?.nanoseconds ?? 0) + told.nanoseconds,
      waits: (known?.waits ?? 0) + waits,
      nice: told.nice ?? known?.nice,
      offCpuNanoseconds: sumOfKnown(known?.offCpuNanoseconds, told.offCpuNanoseconds),
    });
  }

  #dropSmallest(): void {
    const [key, { nanoseconds }] = [...this.#readers].reduce((least, entry) =>
      entry[1].nanoseconds < least[1].nanoseconds ? entry : least,
    );
    this.#readers.delete(key);
    this.#others.readers += 1;
    this.#others.nanoseconds += nanoseconds;
  }
}

const mostFirst = (a: { readonly nanoseconds: number }, b: { readonly nanoseconds: number }): number =>
  b.nanoseconds - a.nanoseconds;

const sumOfKnown = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : a + (b ?? 0);
