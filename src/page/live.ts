/**
 * The stream of the daemon: it comes back by itself and says so, can be paused, and is let go while nobody looks, for a
 * browser has six connections to a host and ten open tabs would take them all.
 */

export type LiveState = 'connecting' | 'live' | 'paused' | 'hidden' | 'lost' | 'full';

export interface LiveOptions {
  /** All that is known is to be asked for anew: something may have been missed. */
  readonly onStart: () => void;
  readonly onEvent: (type: string, data: unknown) => void;
  readonly onState: (state: LiveState) => void;
}

const types = ['column', 'incident'] as const;

/** After this time a stream that was refused, or broke for good, is tried again. */
const retryMilliseconds = 3000;
/** The daemon sends something every second while it observes, and a sign of life every 15 s. */
const refusedMilliseconds = 30_000;

export class Live {
  readonly #options: LiveOptions;
  #source: EventSource | undefined;
  #paused = false;
  #retry: number | undefined;

  constructor(options: LiveOptions) {
    this.#options = options;
    document.addEventListener('visibilitychange', () => this.#settle());
    // A page that is kept for the way back would keep its stream, too.
    window.addEventListener('pagehide', () => this.#close());
    window.addEventListener('pageshow', () => this.#settle());
  }

  get paused(): boolean {
    return this.#paused;
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    this.#settle();
  }

  start(): void {
    this.#settle();
  }

  #settle(): void {
    if (this.#paused || document.hidden) {
      this.#close();
      this.#options.onState(this.#paused ? 'paused' : 'hidden');
    } else if (this.#source === undefined) this.#open();
  }

  #open(): void {
    window.clearTimeout(this.#retry);
    this.#options.onState('connecting');
    const source = new EventSource(`/api/v1/stream?types=${types.join(',')}`);
    this.#source = source;
    source.addEventListener('open', () => {
      this.#options.onState('live');
      this.#options.onStart();
    });
    source.addEventListener('gap', () => this.#options.onStart());
    for (const type of types)
      source.addEventListener(type, (event) =>
        this.#options.onEvent(type, JSON.parse((event as MessageEvent<string>).data)),
      );
    source.addEventListener('error', () => {
      if (this.#source !== source) return;
      // Refused: as many listen as may, or a password is asked for. Broken: the browser tries again by itself.
      const refused = source.readyState === EventSource.CLOSED;
      this.#options.onState(refused ? 'full' : 'lost');
      if (!refused) return;
      this.#close();
      this.#retry = window.setTimeout(() => this.#settle(), refusedMilliseconds);
    });
  }

  #close(): void {
    window.clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = undefined;
  }
}

export const liveText: Readonly<Record<LiveState, string>> = {
  connecting: 'Connecting',
  live: 'Live',
  paused: 'Paused',
  hidden: 'Not looked at',
  lost: `The daemon cannot be reached; trying again every ${retryMilliseconds / 1000} s`,
  full: `The stream was refused; trying again every ${refusedMilliseconds / 1000} s`,
};
