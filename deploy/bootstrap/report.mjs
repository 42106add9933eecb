/** What the bootstrap tells a person, and the one kind of error it ends with. */

/** Prints one line to stderr: stdout belongs to the daemon's log and to the test results. */
export const say = (line) => process.stderr.write(`mmaplockd: ${line}\n`);

/** An expected obstacle: what is wrong, and what the person can do about it. */
export class CannotGoOn extends Error {
  constructor(message, mend) {
    super(message);
    this.mend = mend;
  }
}
