/**
 * The newest events of the stream, for those that come back. Each type has a room of its own, for a tick a second must
 * not drive out an incident an hour.
 */

export const keptTypes = ['tick', 'incident'] as const;
export type KeptType = (typeof keptTypes)[number];

export interface KeptEvent {
  /** Counts up over all types, from 1. */
  readonly number: number;
  /** As it is sent. */
  readonly bytes: Uint8Array;
}

interface Room {
  readonly events: KeptEvent[];
  bytes: number;
  /** The newest that is no longer kept; 0 when all are. */
  lostUpTo: number;
}

export interface RingLimits {
  /** Of one type. */
  readonly events: number;
  /** Of all events of one type. */
  readonly bytes: number;
}

export class EventRing {
  /** Number of the newest event, 0 before the first. */
  newest = 0;
  readonly #limits: RingLimits;
  readonly #rooms = new Map<KeptType, Room>(
    keptTypes.map((type) => [type, { events: [], bytes: 0, lostUpTo: 0 }]),
  );

  constructor(limits: RingLimits) {
    this.#limits = limits;
  }

  /** Keeps an event, rendered with its number; those of its type over the limits go, the oldest first. */
  add(type: KeptType, render: (number: number) => Uint8Array): KeptEvent {
    this.newest += 1;
    const event = { number: this.newest, bytes: render(this.newest) };
    const room = this.#room(type);
    room.events.push(event);
    room.bytes += event.bytes.length;
    while (room.events.length > this.#limits.events || room.bytes > this.#limits.bytes) {
      const lost = room.events.shift() as KeptEvent;
      room.bytes -= lost.bytes.length;
      room.lostUpTo = lost.number;
    }
    return event;
  }

  /** Kept events of some types after a number, oldest first. */
  after(number: number, types: ReadonlySet<KeptType>): KeptEvent[] {
    return [...types]
      .flatMap((type) => this.#room(type).events.filter((event) => event.number > number))
      .sort((a, b) => a.number - b.number);
  }

  /** The newest event of some types that is no longer kept; 0 when all are. */
  lostUpTo(types: ReadonlySet<KeptType>): number {
    return Math.max(0, ...Array.from(types, (type) => this.#room(type).lostUpTo));
  }

  #room(type: KeptType): Room {
    return this.#rooms.get(type) as Room;
  }
}
