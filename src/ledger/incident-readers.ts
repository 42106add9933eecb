/** Who is to blame for an incident: readers with their shares, the largest first, and their files. */
import type { SeenProcess, StallReader } from '../records.js';
import type { LockPath, ProcFile } from '../vocabulary.js';
import type { Incident, IncidentFileShare, IncidentReader } from './incident.js';

type Draft<Row> = { -readonly [Member in keyof Row]: Row[Member] };

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

  /** The readers of one wait of a victim. */
  add(readers: readonly StallReader[], victim: SeenProcess): void {
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

  #addShare({ name, cgroupId, pid, file, ...told }: StallReader, self: boolean): void {
    const key = JSON.stringify([name, cgroupId, file, self]);
    const known = this.#readers.get(key);
    this.#readers.set(key, {
      name,
      cgroupId,
      file,
      self,
      pid: pid ?? known?.pid,
      nanoseconds: (known?.nanoseconds ?? 0) + told.nanoseconds,
      waits: (known?.waits ?? 0) + 1,
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
