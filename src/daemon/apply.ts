/**
 * What each record of the tracer leads to, once the ledger has it: the only place, with src/daemon/start.ts, that carries out
 * what the ledger asks for.
 */

import type { StreamHub } from '../api/stream/hub.js';
import { TickSummaries } from '../api/stream/tick-summary.js';
import type { DaemonView } from '../api/view.js';
import { bpftraceSays, type Judgement } from '../bpftrace/process/stderr.js';
import type { TracerState } from '../bpftrace/process/tracer.js';
import { type Clock, clockOf, isoTime } from '../clock.js';
import type { Config } from '../config/schema.js';
import { sentenceOf } from '../evidence/sentence.js';
import type { Identities } from '../identity/identities.js';
import { type Incident, incidentMilliseconds, mainFile } from '../ledger/incidents/incident.js';
import type { Effect, Ledger } from '../ledger/ledger.js';
import type { Log } from '../log/log.js';
import type { createRepeatLimit } from '../log/once.js';
import { wantsMarks } from '../probes/plan.js';
import type { EventsLost, OngoingWait, TracerRecord } from '../records.js';
import type { IncidentStore } from '../store/incident-store.js';
import { createMarkAnswers, markOpenProcFiles } from '../survey/open-files.js';
import type { RestartReason } from '../vocabulary.js';
import { type Inspector, longestInspectSeconds } from '../watch/inspector.js';
import { createIncidentTeller } from './incident-log.js';

export interface EffectOptions {
  readonly config: Pick<Config, 'inspect'>;
  readonly log: Log;
  readonly clock: Pick<Clock, 'monotonic' | 'timeOfDay'>;
  readonly say: ReturnType<typeof createRepeatLimit>;
  readonly ledger: Ledger;
  readonly identities: Pick<Identities, 'legacy' | 'resolve'>;
  readonly store: Pick<IncidentStore, 'keep'>;
  readonly stream: Pick<StreamHub, 'publish' | 'publishLive'>;
  /** The event `column` of the stream. */
  readonly liveColumn: () => object;
  readonly inspector: Pick<Inspector, 'inspect' | 'running'>;
  readonly cgroup: DaemonView['cgroup'];
  readonly plan: DaemonView['plan'];
  /** Of the waits that go on at a tick, those that may be true; undefined where pids are not those of this namespace. */
  readonly goOn?: ((waits: readonly OngoingWait[]) => readonly OngoingWait[]) | undefined;
  readonly onTick: () => void;
  readonly restartTracer: (reason: RestartReason) => void;
}

/** Gives what takes the records of the tracer. */
export const createEffects = (options: EffectOptions): ((record: TracerRecord) => void) => {
  const { config, log, clock, say, ledger, identities, store, stream, inspector, cgroup, plan } = options;
  const summaries = new TickSummaries(ledger, plan, clock);
  const answerMark = createMarkAnswers({ now: () => clock.monotonic() });
  const teller = createIncidentTeller({ log, resolve: cgroup, now: () => clock.monotonic() });

  const publish = (incident: Incident): void =>
    stream.publish({
      type: 'incident',
      data: {
        id: incident.id,
        state: incident.closedAt === undefined ? 'open' : 'closed',
        sentence: sentenceOf(incident, cgroup),
        victim: incident.victim.name,
        reader: incident.readers[0]?.name ?? null,
        file: mainFile(incident) ?? null,
        opened_at: isoTime(clockOf(incident, clock), incident.openedAt),
        duration_seconds: incidentMilliseconds(incident) / 1000,
        blocked_seconds: incident.blockedNanoseconds / 1e9,
      },
    });

  /** Looks closer at an incident, if the operator lets us; what cannot be had is told and no more. */
  const inspect = async ({ id }: Incident): Promise<void> => {
    if (config.inspect.on_incident === 'off' || inspector.running) return;
    try {
      const { blocks, stacks } = await inspector.inspect(longestInspectSeconds);
      const victim = ledger.incidents.get(id)?.victim;
      const readers = blocks.flatMap(({ reader, file, nanoseconds, victim: { name, cgroupId } }) =>
        reader === undefined || file === '~unknown' || name !== victim?.name || cgroupId !== victim.cgroupId
          ? []
          : [{ ...reader, pid: undefined, tid: undefined, file, nanoseconds }],
      );
      const incident = ledger.incidents.addInspection(id, { readers, stacks });
      if (incident?.closedAt !== undefined) store.keep(incident);
    } catch (error) {
      say('inspect', (unsaid) => log.warn({ err: error, unsaid }, 'inspect mode did not work'));
    }
  };

  const carryOut = (effect: Effect): void => {
    switch (effect.kind) {
      case 'restart_tracer':
        log.warn({ reason: effect.reason }, 'the tracer is started again with empty maps');
        options.restartTracer(effect.reason);
        return;
      case 'incident_closed':
        store.keep(effect.incident);
        teller.closed(effect.incident);
        publish(effect.incident);
        return;
      case 'incident_opened':
        // Kept again when it closes; if the daemon is killed before, it comes back as one that was cut off.
        store.keep(effect.incident);
        publish(effect.incident);
        return;
      case 'inspect':
        void inspect(effect.incident);
        return;
    }
  };

  const tellLost = ({ events, reason, map, status }: EventsLost): void => {
    if (reason === undefined) say('lost', () => log.warn({ events }, 'bpftrace lost events'));
    else
      say(`lost ${reason}`, () =>
        log.warn({ reason, map, status }, 'the kernel did not change a BPF map: events lost'),
      );
  };

  const tell = (record: TracerRecord): void => {
    switch (record.kind) {
      case 'undecodable':
        say(`undecodable ${record.reason}`, (unsaid) =>
          log.warn({ reason: record.reason, unsaid }, 'a line of bpftrace could not be understood'),
        );
        return;
      case 'events_lost':
        tellLost(record);
        return;
      case 'map_overflow':
        say(`overflow ${record.map}`, () => log.warn({ map: record.map }, 'a BPF map is full'));
    }
  };

  return (heard) => {
    const record = withoutGhosts(heard, options.goOn);
    for (const process of seenIn(record, identities.legacy)) identities.resolve(process);
    for (const effect of ledger.apply(record)) carryOut(effect);
    if (record.kind === 'tick' || record.kind === 'tracer_stopped') {
      stream.publish({ type: 'tick', data: summaries.next(record.at) });
      stream.publishLive('column', options.liveColumn);
    }
    if (record.kind === 'tick') {
      options.onTick();
      teller.open(ledger.incidents.open());
    } else if (record.kind === 'tracer_started' && wantsMarks(plan())) void markOpenProcFiles(log);
    else if (record.kind === 'mark_asked') void answerMark(record.pid);
    else tell(record);
  };
};

/** A wait whose end no probe saw (the kernel skips some, and counts them) would go on for ever: its thread does not wait. */
const withoutGhosts = (record: TracerRecord, goOn: EffectOptions['goOn']): TracerRecord =>
  record.kind !== 'tick' || goOn === undefined ? record : { ...record, ongoing: goOn(record.ongoing) };

/** Who is looked at now, for it may be gone when somebody asks: those of a stall, and everybody where it is needed. */
const seenIn = (
  record: TracerRecord,
  everybody: boolean,
): readonly Parameters<Identities['resolve']>[0][] => {
  if (record.kind === 'stall') return [record.victim, ...record.readers];
  if (record.kind !== 'tick' || !everybody) return [];
  return [...record.processes, ...record.readers].map(({ cgroupId, name, lastPid: pid }) => ({
    cgroupId,
    name,
    pid,
  }));
};

/** Tells of what the tracer has come to: that it observes, or why not. */
export const tellState = (state: TracerState, log: Log, say: ReturnType<typeof createRepeatLimit>): void => {
  if (state.phase === 'observing')
    log.info({ tracer_pid: state.pid, bpftrace: state.bpftrace?.version }, 'observing');
  else if (state.phase === 'waiting' && state.error !== undefined) {
    const { error } = state;
    say(`state ${error.code}`, (unsaid) => log.error({ err: error, unsaid }, 'not observing'));
  }
};

/** Tells of a line on the stderr of bpftrace: an error once an hour, the rest to who debugs. */
export const tellStderr = (
  line: string,
  { severity }: Pick<Judgement, 'severity'>,
  log: Log,
  say: ReturnType<typeof createRepeatLimit>,
): void => {
  if (severity === 'error')
    say(`bpftrace ${line}`, (unsaid) => log.warn({ bpftrace: line, unsaid }, bpftraceSays));
  else log.debug({ bpftrace: line }, bpftraceSays);
};
