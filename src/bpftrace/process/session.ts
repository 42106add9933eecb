/** One bpftrace process from start to end. Knows nothing of why it runs, or of what comes after it. */
import { execa } from 'execa';
import { systemClock } from '../../clock.js';
import { messageOf } from '../../errors.js';
import { endMark, type Program } from '../../probes/program.js';
import type { TracerRecord } from '../../records.js';
import { confinement } from '../confine.js';
import type { Dialect } from '../decode/dialect.js';
import { decodeLine } from '../decode/lines.js';
import { childEnvironment } from '../environment.js';
import { Wire } from '../records/tick.js';
import { type Exit, exitOf } from './exiting.js';
import { LastMaps, type LastMapsLimits } from './last-maps.js';
import { defaultLongestLine, LineSplitter } from './splitter.js';
import { type Judgement, StderrTail } from './stderr.js';
import { onceItDoesNotWrite } from './writing.js';

export interface SessionOptions {
  readonly path: string;
  readonly program: Program;
  readonly dialect: Dialect;
  /** Keys of each map at most. */
  readonly mapKeys: number;
  /** A BTF for it to read in place of that of the kernel: see src/kernel/c-types.ts. */
  readonly typesFile?: string | undefined;
  readonly now: () => number;
  readonly onRecord: (record: TracerRecord) => void;
  /** bpftrace says how many probes it attached (0.24 and later) or is about to attach. */
  readonly onAttached: (probes: number) => void;
  readonly onStderr: (line: string, judgement: Judgement) => void;
  /** How long it is waited for when it is to end: as in last-maps.ts unless told otherwise. */
  readonly lastMaps?: LastMapsLimits;
}

/** How a session ended. */
export interface SessionEnd {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  /** What it said besides records: its last words, and its first error. */
  readonly said: StderrTail;
  /**
   * It ended with 0 and printed the last of its maps, so what it printed last counts. One that a signal reaches while it
   * waits to write drops all it says afterwards, and ends with 0 all the same (up to 0.27: std::cout over stdio keeps the
   * error of an interrupted write()).
   */
  readonly orderly: boolean;
  /** By the clock of the daemon: what happened later it has not counted, or not said. */
  readonly seenUntil: number;
}

export interface Session {
  readonly pid: number | undefined;
  /** It has said its last word and ends; its process may still be letting go of its probes. */
  readonly over: Promise<SessionEnd>;
  /** Looks whether it ends, for `over`: to be called some times a second, and again soon where it seems so. */
  look(): boolean;
  /** No process of it is left. */
  readonly ended: Promise<SessionEnd>;
  /**
   * Asks it to end and hand over its maps; kills it where it was asked before and takes too long (see last-maps.ts). Ask
   * again each second or so while it lives: up to 0.17 at least, a signal that comes while bpftrace handles an event is
   * forgotten, for it looks at its flag only when epoll_wait() was interrupted (src/bpftrace.cpp, poll_perf_events).
   * SIGTERM, for a second SIGINT kills.
   */
  stop(): void;
  kill(): void;
}

/** Bytes that one entry of a map takes at most in its line: four integers and a value. */
const longestEntry = 160;

/**
 * Bytes: keys that are larger are not on the stack of a program but in a map, in bpftrace that knows how (0.22 and later;
 * `on_stack_limit` in its manual). The stack has 512 bytes, and the end of a wait needs 504 of them in 0.27 with keys of 16
 * bytes on it, 480 without.
 */
export const onStackLimit = 8;

/**
 * Starts bpftrace on a program. Spawned from the main thread, for the kernel sends the parent-death signal when the
 * spawning *thread* ends (prctl(2), PR_SET_PDEATHSIG): even after SIGKILL of this daemon no tracer is left behind.
 */
export const startSession = (options: SessionOptions): Session => {
  const { path, program, dialect, mapKeys, now, onRecord, onAttached, onStderr } = options;
  const programLines = program.text.split('\n');
  const wire = new Wire({
    now,
    monotonic: systemClock.monotonic,
    mapAt: (line) => /@\w+/.exec(programLines[line - 1] ?? '')?.[0],
  });
  const said = new StderrTail();
  const listen = (text: string): void => onStderr(text, said.push(text));
  const startedAt = now();
  let tickAt: number | undefined;
  let askedAt: number | undefined;
  const deliver = (records: readonly TracerRecord[]): void => {
    for (const record of records) {
      if (record.kind === 'tick') tickAt = record.at;
      onRecord(record);
    }
  };
  let cutOff = false;
  let saidAll = false;
  const stdoutLines = new LineSplitter(
    {
      onLine: (text) => {
        const line = decodeLine(text, dialect);
        if (line.type === 'plain') listen(line.text);
        else if (line.type === 'attached_probes') onAttached(line.probes);
        else if (line.type === 'map' && line.map === endMark) saidAll = true;
        else deliver(wire.accept(line));
      },
      onOverlong: (bytes) => deliver(wire.damaged(`a line of ${bytes} bytes`)),
      onTruncated: () => {
        cutOff = true;
      },
    },
    Math.max(defaultLongestLine, mapKeys * longestEntry),
  );
  const stderrLines = new LineSplitter({ onLine: listen, onOverlong: () => {} }, 16_384);

  const lessened = ['--pdeathsig', 'KILL', ...confinement(options.typesFile === undefined)];
  const child = execa('setpriv', [...lessened, path, '-f', 'json', ...dialect.mapFullFlag, '-'], {
    input: program.text,
    buffer: false,
    reject: false,
    detached: true,
    cleanup: false,
    extendEnv: false,
    env: {
      ...childEnvironment(process.env),
      [dialect.mapKeysEnv]: String(mapKeys),
      BPFTRACE_ON_STACK_LIMIT: String(onStackLimit),
      ...(options.typesFile === undefined ? {} : { BPFTRACE_BTF: options.typesFile }),
    },
    forceKillAfterDelay: false,
  });
  const lastMaps = new LastMaps(systemClock.monotonic, options.lastMaps);
  child.stdout.on('data', (chunk: Buffer) => {
    lastMaps.heard();
    stdoutLines.push(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => stderrLines.push(chunk));

  let end: SessionEnd | undefined;
  const finish = ({ exitCode, signal }: Exit): SessionEnd => {
    if (end !== undefined) return end;
    child.stdout.removeAllListeners('data').resume();
    child.stderr.removeAllListeners('data').resume();
    stdoutLines.end();
    stderrLines.end();
    const orderly = exitCode === 0 && (saidAll || !program.text.includes(endMark));
    const ticked = tickAt ?? startedAt;
    // Where it was asked to end its probes went first. It may have heard that later, and ticked meanwhile.
    const seenUntil = orderly ? Math.max(ticked, askedAt ?? now()) : ticked;
    if (orderly && cutOff) deliver(wire.damaged('the last line was cut off'));
    if (orderly) deliver(wire.lastWords(seenUntil));
    end = { exitCode, signal, said, orderly, seenUntil };
    return end;
  };
  const ended = child.then((result) => {
    const { exitCode, signal } = result;
    if (exitCode === undefined && signal === undefined) listen(`ERROR: ${messageOf(result)}`);
    return finish({ exitCode, signal });
  });
  let leave = (_end: SessionEnd): void => {};
  const left = new Promise<SessionEnd>((resolve) => {
    leave = resolve;
  });
  // What it said last has been read when it is seen to end for the second time.
  let seenLeaving = false;

  return {
    pid: child.pid,
    over: Promise.race([left, ended]),
    look: () => {
      const exit = child.pid === undefined ? undefined : exitOf(child.pid);
      if (exit !== undefined && seenLeaving) leave(finish(exit));
      seenLeaving = exit !== undefined;
      return seenLeaving;
    },
    ended,
    stop: () => {
      askedAt ??= now();
      lastMaps.asked();
      if (lastMaps.isTooLate()) child.kill('SIGKILL');
      else onceItDoesNotWrite(child.pid, () => child.kill('SIGTERM'));
    },
    kill: () => child.kill('SIGKILL') || undefined,
  };
};
