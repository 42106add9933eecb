import type { MmaplockError } from '../../errors.js';

/** Why somebody is not let in, with the headers of the answer. */
export interface Refusal {
  readonly error: MmaplockError;
  readonly headers: Readonly<Record<string, string>>;
}
