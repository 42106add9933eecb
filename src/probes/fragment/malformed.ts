import type { MmaplockError } from '../../errors.js';

/** The error that says what is wrong with the line of this index. */
export type Malformed = (index: number, what: string) => MmaplockError;
