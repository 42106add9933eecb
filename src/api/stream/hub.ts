/**
 * Who listens to the stream, and what each still has to get. It knows no sockets.
 *
 * Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html. An id is that of the start of
 * the daemon and a number, so none comes twice. A client that comes back with the last id it saw goes on right after
 * it; where that is not possible an event `gap` says so, and what is still kept follows. Events that only the newest of
 * counts are not kept and have no id.
 */
import type { Clock } from '../../clock.js';
import { EventRing, type KeptEvent, type KeptType, keptTypes, type RingLimits } from './ring.js';

/** Of these only the newest counts. */
export const liveTypes = ['column'] as const;
export type LiveType = (typeof liveTypes)[number];

export const streamTypes = [...keptTypes, ...liveTypes] as const;
export type StreamType = (typeof streamTypes)[number];

/** What a client gets that does not say what it wants. */
export const usualTypes: readonly StreamType[] = keptTypes;

/** What the hub does to one listener. */
export interface StreamClient {
  /** Takes bytes to send; false where they have to wait: {@link Seat.drained} tells when they no longer do. */
  write(bytes: Uint8Array): boolean;
  /** Bytes that were taken and are not sent yet. */
  unsent(): number;
  /** Ends the connection at once, whatever is unsent. */
  cut(): void;
}

/** What one listener tells the hub. */
export interface Seat {
  /** All that was unsent is sent. */
  drained(): void;
  /** It is gone: nothing more is written. */
  leave(): void;
}

export interface StreamEvent {
  readonly type: KeptType;
  readonly data: object;
}

export interface JoinOptions {
  readonly types: ReadonlySet<StreamType>;
  /** The id that the client saw last; undefined for one that is new. */
  readonly lastEventId?: string | undefined;
}

export interface HubOptions {
  readonly clock: Clock;
  /** When the daemon started, milliseconds since the epoch. */
  readonly startedAt: number;
  readonly clients?: number;
  readonly kept?: RingLimits;
  /** A listener that has more bytes unsent is cut; it can come back. */
  readonly unsentBytes?: number;
}

interface Listener {
  readonly client: StreamClient;
  readonly types: ReadonlySet<KeptType>;
  readonly live: ReadonlySet<LiveType>;
  /** Number of the event it was sent last, or need not be sent. */
  sent: number;
  /** It is sent what was kept as fast as it takes it, and only then what is new. */
  catchingUp: boolean;
}

/** After this time a client whose connection broke tries again. */
const retryMilliseconds = 3000;

const heartbeatMilliseconds = 15_000;

/**
 * In memory of its own: Buffer.from() cuts short texts from slabs of 8 KiB that others have a part in, and a kept event of
 * 1 KiB would keep all of its slab, 5 MB in all.
 */
const encode = (text: string): Uint8Array => {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
};
const heartbeat = encode(':\n\n');

export class StreamHub {
  readonly #clock: Clock;
  readonly #start: string;
  readonly #limits: { readonly clients: number; readonly unsentBytes: number };
  readonly #ring: EventRing;
  readonly #listeners = new Set<Listener>();
  #cancelHeartbeat = (): void => {};

  constructor({
    clock,
    startedAt,
    clients = 16,
    kept = { events: 600, bytes: 2 ** 20 },
    unsentBytes = 2 ** 18,
  }: HubOptions) {
    this.#clock = clock;
    this.#start = startedAt.toString(36);
    this.#limits = { clients, unsentBytes };
    this.#ring = new EventRing(kept);
  }

  /** How many listen now. */
  get listening(): number {
    return this.#listeners.size;
  }

  /** Whether there are as many listeners as are allowed: another must not join. */
  get full(): boolean {
    return this.#listeners.size >= this.#limits.clients;
  }

  /** Sends an event to all that listen for its type, and keeps it for those that come back. */
  publish({ type, data }: StreamEvent): void {
    const event = this.#ring.add(type, (number) => this.#render(number, type, data));
    for (const listener of this.#listeners) {
      if (!listener.types.has(type)) continue;
      // What a listener that catches up still lacks is in the ring; when it no longer is, it cannot.
      if (!listener.catchingUp) this.#send(listener, event);
      else if (this.#ring.lostUpTo(listener.types) > listener.sent) this.#cut(listener);
    }
  }

  /** Sends an event to those that listen for its type now; it is made only where there are any. */
  publishLive(type: LiveType, data: () => object): void {
    const listeners = [...this.#listeners].filter(({ live }) => live.has(type));
    if (listeners.length === 0) return;
    const bytes = encode(`event: ${type}\ndata: ${JSON.stringify(data())}\n\n`);
    for (const listener of listeners) {
      // One that catches up, or does not read, has no use for what is new by then.
      if (!listener.catchingUp && listener.client.unsent() <= this.#limits.unsentBytes)
        listener.client.write(bytes);
    }
  }

  join(client: StreamClient, { types, lastEventId }: JoinOptions): Seat {
    const listener: Listener = {
      client,
      types: new Set(keptTypes.filter((type) => types.has(type))),
      live: new Set(liveTypes.filter((type) => types.has(type))),
      sent: this.#ring.newest,
      catchingUp: false,
    };
    if (this.#listeners.size === 0) this.#scheduleHeartbeat();
    this.#listeners.add(listener);
    // The id makes one resume that loses its connection before the first event.
    const id = lastEventId === undefined ? `id: ${this.#id(this.#ring.newest)}\n` : '';
    client.write(encode(`retry: ${retryMilliseconds}\n${id}\n`));
    if (lastEventId !== undefined) this.#resume(listener, lastEventId);
    return {
      drained: () => {
        if (listener.catchingUp && this.#listeners.has(listener)) this.#catchUp(listener);
      },
      leave: () => this.#leave(listener),
    };
  }

  #resume(listener: Listener, lastEventId: string): void {
    const { client, types } = listener;
    const [start, digits = ''] = lastEventId.split('-');
    const number = start === this.#start && /^\d{1,15}$/.test(digits) ? Number(digits) : undefined;
    const lost = this.#ring.lostUpTo(types);
    if (number !== undefined && number >= lost && number <= this.#ring.newest) listener.sent = number;
    else {
      const ours = number !== undefined && number < lost;
      client.write(this.#render(lost, 'gap', { reason: ours ? 'too_old' : 'other_start' }));
      listener.sent = lost;
    }
    this.#catchUp(listener);
  }

  /** Sends what is kept until it has to wait. */
  #catchUp(listener: Listener): void {
    listener.catchingUp = true;
    for (const { number, bytes } of this.#ring.after(listener.sent, listener.types)) {
      listener.sent = number;
      if (!listener.client.write(bytes)) return;
    }
    listener.catchingUp = false;
  }

  #send(listener: Listener, { number, bytes }: KeptEvent): void {
    listener.sent = number;
    listener.client.write(bytes);
    if (listener.client.unsent() > this.#limits.unsentBytes) this.#cut(listener);
  }

  #cut(listener: Listener): void {
    this.#leave(listener);
    listener.client.cut();
  }

  #leave(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size === 0) this.#cancelHeartbeat();
  }

  #scheduleHeartbeat(): void {
    this.#cancelHeartbeat = this.#clock.after(heartbeatMilliseconds, () => {
      this.#scheduleHeartbeat();
      for (const { client, catchingUp } of this.#listeners) if (!catchingUp) client.write(heartbeat);
    });
  }

  #id(number: number): string {
    return `${this.#start}-${number}`;
  }

  #render(number: number, type: KeptType | 'gap', data: object): Uint8Array {
    return encode(`id: ${this.#id(number)}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
  }
}
