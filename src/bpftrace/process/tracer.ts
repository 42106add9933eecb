/** The tracer of a daemon: what runs it, in which state it is, and who is told of it. */
import type { MmaplockError } from '../../errors.js';
import type { TracerRecord } from '../../records.js';
import type { Dialect } from '../decode/dialect.js';
import type { FoundBpftrace } from '../find.js';
import type { Judgement } from './stderr.js';

/** The bpftrace at hand, and how it writes. */
export interface Tracer {
  readonly bpftrace: FoundBpftrace;
  readonly dialect: Dialect;
}

export interface TracerState {
  readonly phase: 'starting' | 'observing' | 'waiting' | 'stopped';
  /** By the clock of the daemon. */
  readonly since: number;
  readonly pid?: number | undefined;
  /** As it was found last. */
  readonly bpftrace?: FoundBpftrace | undefined;
  readonly dialect?: Dialect | undefined;
  /** Why it does not observe; kept until it does again. */
  readonly error?: MmaplockError | undefined;
  readonly nextTryAt?: number | undefined;
}

/** Who is told what the tracer says and does. */
export interface TracerHandlers {
  readonly onRecord: (record: TracerRecord) => void;
  readonly onState: (state: TracerState) => void;
  readonly onStderr: (line: string, judgement: Judgement) => void;
  /** bpftrace refused a fragment, and said why: the plan may go on without it. */
  readonly onRejected: (fragment: string, message: string) => void;
}
