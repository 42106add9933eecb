/** How many wrong guesses are looked at within a minute. */

const minuteMilliseconds = 60_000;

export interface FailureLimitOptions {
  /** Failures of all who ask. */
  readonly ofAll: number;
  /** Failures of one source; as many as of all where it is left out. */
  readonly ofOne?: number;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

export interface Failure {
  readonly at: number;
  readonly source: string;
}

export class FailureLimit {
  readonly #options: FailureLimitOptions;
  /** The newest failures, oldest first: never more than `ofAll`. */
  #failures: Failure[] = [];

  constructor(options: FailureLimitOptions) {
    this.#options = options;
  }

  /** Seconds until a source may try again; undefined where it may now. */
  wait(source: string): number | undefined {
    const { ofAll, ofOne = ofAll, now } = this.#options;
    const at = now();
    this.#failures = this.#failures.filter((failure) => at - failure.at < minuteMilliseconds);
    const own = this.#failures.filter((failure) => failure.source === source);
    const oldest =
      own.length >= ofOne ? own[0] : this.#failures.length >= ofAll ? this.#failures[0] : undefined;
    return oldest === undefined ? undefined : Math.ceil((oldest.at + minuteMilliseconds - at) / 1000);
  }

  /** To be called for whom `wait` lets try: counts it as failed until it is forgiven. */
  count(source: string): Failure {
    const failure = { at: this.#options.now(), source };
    this.#failures.push(failure);
    return failure;
  }

  /** It was none. */
  forgive(failure: Failure): void {
    this.#failures = this.#failures.filter((other) => other !== failure);
  }
}
