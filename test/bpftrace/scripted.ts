/**
 * A tracer that does what a test says, when it says it: for what depends on timing alone. Everything that bpftrace
 * does itself is tested with bpftrace.
 */
import type { FoundBpftrace } from '../../src/bpftrace/find.js';
import type { Session, SessionEnd, SessionOptions } from '../../src/bpftrace/process/session.js';
import { StderrTail } from '../../src/bpftrace/process/stderr.js';
import { Supervisor } from '../../src/bpftrace/process/supervise.js';
import type { TracerState } from '../../src/bpftrace/process/tracer.js';
import { joinProgram, type Program } from '../../src/probes/program.js';
import type { Tick, TracerRecord } from '../../src/records.js';
import { fragmentOf } from '../probes/fake.js';
import { tick } from '../support/records.js';
import { dialectOf } from './goldens.js';
import { HandClock, settled } from './hand-clock.js';

export class ScriptedSession implements Session {
  readonly pid: number;
  readonly options: SessionOptions;
  readonly ended: Promise<SessionEnd>;
  readonly over: Promise<SessionEnd>;
  /** What was asked of it, in order. */
  readonly asked: ('stop' | 'kill')[] = [];
  readonly #said = new StderrTail();
  #end: (end: SessionEnd) => void = () => {};

  constructor(pid: number, options: SessionOptions) {
    this.pid = pid;
    this.options = options;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.over = this.ended;
  }

  look(): boolean {
    return false;
  }

  stop(): void {
    this.asked.push('stop');
  }

  kill(): void {
    this.asked.push('kill');
  }

  attach(probes: number = this.options.program.probes): void {
    this.options.onAttached(probes);
  }

  say(line: string): void {
    this.options.onStderr(line, this.#said.push(line));
  }

  record(record: TracerRecord): void {
    this.options.onRecord(record);
  }

  tick(more: Partial<Tick> = {}): void {
    this.record(tick(this.options.now(), more));
  }

  /** It is gone; resolves once that has been noticed. */
  async exit(
    exitCode: number | undefined,
    signal?: string,
    seenUntil: number = this.options.now(),
  ): Promise<void> {
    this.#end({ exitCode, signal, said: this.#said, orderly: exitCode === 0, seenUntil });
    await settled();
  }

  async killed(): Promise<void> {
    await this.exit(undefined, 'SIGKILL');
  }
}

const fragment = fragmentOf('waits', { body: 'kfunc:down_read\n{\n  @waits = count();\n}\n' });
export const program: Program = joinProgram([{ fragment, constants: new Map() }]);
const bpftrace: FoundBpftrace = { path: '/usr/bin/bpftrace', version: '0.17.0' };

export const typesFile = '/usr/lib/mmaplockd/bpf/lib/c-types.btf';
export const startTimeoutSeconds = 10;
export const stallRestartSeconds = 15;

/** What a test may make go another way. */
export interface Stage {
  find: () => Promise<FoundBpftrace>;
  /** How long the canary took. */
  startMilliseconds?: number;
  program: () => Promise<Program | undefined>;
}

/** A supervisor on a clock moved by hand, and everything it did. */
export const supervised = (changes: Partial<Stage> = {}) => {
  const clock = new HandClock();
  const stage: Stage = { find: async () => bpftrace, program: async () => program, ...changes };
  const records: TracerRecord[] = [];
  const states: TracerState[] = [];
  const rejected: (readonly [string, string])[] = [];
  const sessions: ScriptedSession[] = [];
  const supervisor = new Supervisor({
    clock,
    typesFile,
    find: () => stage.find(),
    learnDialect: async () => ({
      ...dialectOf('0.17.0'),
      ...(stage.startMilliseconds === undefined ? {} : { startMilliseconds: stage.startMilliseconds }),
    }),
    program: () => stage.program(),
    startSession: (options) => {
      const session = new ScriptedSession(1000 + sessions.length, options);
      sessions.push(session);
      return session;
    },
    mapKeys: () => 1024,
    startTimeoutSeconds,
    stallRestartSeconds,
  });
  supervisor.connect({
    onRecord: (record) => records.push(record),
    onState: (state) => states.push(state),
    onStderr: () => {},
    onRejected: (name, message) => rejected.push([name, message]),
  });
  const newest = (): ScriptedSession => {
    const session = sessions.at(-1);
    if (session === undefined) throw new Error('no session was started');
    return session;
  };
  return {
    clock,
    stage,
    records,
    states,
    rejected,
    sessions,
    supervisor,
    newest,
    /** Starts it and lets the first session attach and tick. */
    observing: async (): Promise<ScriptedSession> => {
      supervisor.start();
      await settled();
      newest().attach();
      newest().tick();
      return newest();
    },
    /** Ticks once a second. */
    tickFor: async (seconds: number): Promise<void> => {
      for (let second = 0; second < seconds; second += 1) {
        await clock.pass(1);
        newest().tick();
      }
    },
    stops: () => records.flatMap((record) => (record.kind === 'tracer_stopped' ? [record] : [])),
  };
};
