/**
 * Incidents: stalls over the threshold. One opens with a long write wait, with a wait that still goes on at a tick, or
 * where writers stood behind readers for too much of the time; stalls of the same victim join it; it closes after
 * quiet. All by the times of the records. Bounded: what is too much is counted, never kept.
 */
import type { OngoingWait, SeenProcess, Stall, Tick } from '../../records.js';
import { procFiles, unknown } from '../../vocabulary.js';
import { beginOf, IncidentDraft, withInspection } from './draft.js';
import { identitiesOf } from './identities.js';
import {
  type Incident,
  type IncidentEffect,
  type IncidentFile,
  type Inspection,
  mainFile,
  noFile,
} from './incident.js';
import { defaultIncidentOptions, type IncidentOptions } from './options.js';
import { RecentBlocks } from './recent-blocks.js';
import { RecentConvoys } from './recent-convoys.js';

/** What ticks told lately: it completes what stalls tell. */
export interface Recent {
  readonly blocks: RecentBlocks;
  readonly convoys: RecentConvoys;
}

export class IncidentLedger {
  /** Stalls that opened none, for too many were open. */
  notOpened = 0;
  /** Incidents that went for newer ones: the list is not complete when this is not 0. */
  dropped = 0;
  /**
   * Incidents by file. Each is counted once and never moved: under the file of the first reader found, or, where none
   * was found until it closed, under `none`.
   */
  readonly files = new Map<IncidentFile, number>(
    ([...procFiles, noFile] as const).map((file) => [file, 0] as const),
  );
  readonly #options: Required<IncidentOptions>;
  readonly #recent: Recent;
  /** Open and closed, in the order of opening. */
  readonly #kept = new Map<string, Incident>();
  readonly #open = new Map<string, IncidentDraft>();
  #sequence = 0;
  #inspectAskedAt = Number.NEGATIVE_INFINITY;

  /** @param recent told of each tick before this is */
  constructor(
    options: IncidentOptions = {},
    recent: Recent = { blocks: new RecentBlocks(), convoys: new RecentConvoys() },
  ) {
    this.#options = { ...defaultIncidentOptions, ...options };
    this.#recent = recent;
  }

  /** In the order of opening. */
  list(): Incident[] {
    return [...this.#kept.values()];
  }

  get(id: string): Incident | undefined {
    return this.#kept.get(id);
  }

  /** Those open now. */
  open(): Incident[] {
    return Array.from(this.#open.values(), ({ incident }) => incident);
  }

  /** Takes back incidents that an earlier daemon kept, oldest first; those still open then were cut off. */
  restore(incidents: readonly Incident[]): void {
    for (const incident of incidents) {
      if (this.#kept.has(incident.id)) continue;
      const cutOff = incident.closedAt === undefined;
      const ended = cutOff ? { ongoing: [], closedAt: incident.lastAt, interrupted: true } : {};
      this.#keep({ ...incident, ...ended, ahead: 0 });
    }
  }

  /** Puts what inspect mode found to an incident, open or closed; undefined where it is not kept any more. */
  addInspection(id: string, inspection: Inspection): Incident | undefined {
    const kept = this.#kept.get(id);
    if (kept === undefined) return undefined;
    const draft = this.#open.get(id);
    const found = withInspection(kept, inspection);
    if (draft === undefined) {
      this.#kept.set(id, { ...kept, ...found });
      return this.#kept.get(id);
    }
    Object.assign(draft.incident, found);
    this.#count(draft, mainFile(draft.incident) ?? found.inspected[0]?.file);
    return draft.incident;
  }

  stall(stall: Stall): IncidentEffect[] {
    const effects = this.#close(stall.at);
    const known = this.#draftOf(stall.victim);
    if (known === undefined && stall.cause === 'wait' && stall.nanoseconds < this.#options.waitNanoseconds)
      return effects;
    const draft = known ?? this.#openFor(stall.victim, stall.at, beginOf(stall), stall.cause);
    if (draft === undefined) return effects;
    draft.addStall(stall);
    this.#count(draft, mainFile(draft.incident));
    return [...effects, ...this.#told(draft, stall.at, known === undefined)];
  }

  tick({ at, ongoing }: Tick): IncidentEffect[] {
    this.#complete(at);
    const effects = this.#close(at);
    const long = ongoing.filter(
      ({ mode, foreign, seconds }) =>
        mode === 'write' && !foreign && seconds * 1e9 >= this.#options.waitNanoseconds,
    );
    const byPid = new Map<number, OngoingWait[]>();
    for (const wait of long) byPid.set(wait.pid, [...(byPid.get(wait.pid) ?? []), wait]);
    const goingOn = new Set<IncidentDraft>();
    for (const waits of byPid.values()) {
      const victim = this.#victimOf(waits[0] as OngoingWait);
      const known = this.#draftOf(victim);
      const since = at - 1000 * Math.max(...waits.map(({ seconds }) => seconds));
      const draft = known ?? this.#openFor(victim, at, since, 'wait');
      if (draft === undefined) continue;
      goingOn.add(draft);
      draft.setOngoing(waits, at);
      effects.push(...this.#told(draft, at, known === undefined));
    }
    for (const draft of this.#open.values()) if (!goingOn.has(draft)) draft.setOngoing([], at);
    return effects;
  }

  /** The tracer ended: incidents stay open, and say that something of them was not seen. */
  interrupt(): void {
    for (const draft of this.#open.values()) {
      draft.interrupt();
      this.#count(draft, mainFile(draft.incident));
    }
  }

  /** Puts to the open incidents what a tick knows of their victims, and stalls did not tell. */
  #complete(at: number): void {
    const open = [...this.#open.values()];
    for (const draft of open) {
      const { name, cgroupId } = draft.incident.victim;
      const namesakes = open.filter(
        ({ incident: { victim } }) => victim.name === name && victim.cgroupId === cgroupId,
      );
      draft.tickShares();
      draft.addConvoys(this.#recent.convoys, at, namesakes.length === 1);
      this.#count(draft, mainFile(draft.incident));
    }
  }

  #draftOf(victim: SeenProcess): IncidentDraft | undefined {
    for (const draft of this.#open.values()) if (draft.isOf(victim)) return draft;
    return undefined;
  }

  #victimOf({ pid, tid }: OngoingWait): SeenProcess {
    const { name, cgroupId } = this.#options.processName(pid) ?? { name: unknown, cgroupId: '0' };
    return { name, cgroupId, pid, tid };
  }

  #openFor(
    victim: SeenProcess,
    at: number,
    openedAt: number,
    cause: Incident['cause'],
  ): IncidentDraft | undefined {
    if (this.#open.size >= this.#options.open) {
      this.notOpened += 1;
      return undefined;
    }
    this.#sequence += 1;
    const opened = Math.floor(at + this.#options.ahead());
    const id = `${String(opened).padStart(13, '0')}-${String(this.#sequence).padStart(6, '0')}`;
    const draft = new IncidentDraft({
      id,
      cause,
      victim,
      openedAt,
      lockPath: this.#options.lockPath,
      lookedFor: this.#options.lookedFor,
      recentBlocks: this.#recent.blocks,
    });
    this.#open.set(id, draft);
    this.#keep(draft.incident);
    return draft;
  }

  #keep(incident: Incident): void {
    this.#kept.set(incident.id, incident);
    if (this.#kept.size <= this.#options.kept) return;
    for (const { id } of this.#kept.values())
      if (!this.#open.has(id)) {
        this.#kept.delete(id);
        this.dropped += 1;
        return;
      }
  }

  /** What is to be said of an incident that was opened, or goes on. */
  #told(draft: IncidentDraft, at: number, opened: boolean): IncidentEffect[] {
    const { incident } = draft;
    const effects: IncidentEffect[] = opened ? [{ kind: 'incident_opened', incident }] : [];
    if (draft.inspectAsked || at - this.#inspectAskedAt < this.#options.inspectMilliseconds) return effects;
    draft.inspectAsked = true;
    this.#inspectAskedAt = at;
    return [...effects, { kind: 'inspect', incident }];
  }

  #count(draft: IncidentDraft, file: IncidentFile | undefined): void {
    if (draft.counted || file === undefined) return;
    draft.counted = true;
    this.files.set(file, (this.files.get(file) ?? 0) + 1);
  }

  /** Closes what has been quiet long enough. */
  #close(at: number): IncidentEffect[] {
    const effects: IncidentEffect[] = [];
    for (const [id, draft] of this.#open) {
      const { incident } = draft;
      if (incident.ongoing.length > 0 || draft.waitsForTick) continue;
      if (at - incident.lastAt < this.#options.quietMilliseconds) continue;
      incident.closedAt = at;
      incident.ahead = this.#options.ahead();
      incident.identities = identitiesOf(incident, this.#options.identify);
      this.#open.delete(id);
      this.#count(draft, noFile);
      effects.push({ kind: 'incident_closed', incident });
    }
    return effects;
  }
}
