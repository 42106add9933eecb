/** Which fragments a program goes on without when bpftrace, or the kernel, refused it. */
import type { Program } from './program.js';

/** Words by which bpftrace says that it can do nothing with fentry here, whatever the function. */
const noFentry = /BTF data not available|(?:kfunc|fentry)\/(?:kretfunc|fexit) not available/;

const shortage = /[Cc]annot allocate memory|temporarily unavailable|[Tt]oo many open files|No space left/;

/** What can be given up as a whole, the one with most demands first: each has another source for its events. */
const kinds = ['fentry', 'kprobe'] as const;

type Refused = Pick<Program, 'fragmentsWith'>;

/**
 * A fragment that was named is given up alone; where a kind of probe is refused, all of that kind: then the next source
 * of each event is taken.
 * @param named the fragment that was refused, where that is known
 * @param again the same program was refused before without a word of why
 */
const toGiveUp = (
  program: Refused,
  message: string,
  named: string | undefined,
  again: boolean,
): readonly string[] => {
  const byFentry = noFentry.test(message) ? program.fragmentsWith('fentry') : [];
  if (byFentry.length > 0) return byFentry;
  if (named !== undefined) return [named];
  // A host that is short of something for a moment refuses programs, too.
  if (!again || shortage.test(message)) return [];
  return kinds.map((kind) => program.fragmentsWith(kind)).find((all) => all.length > 0) ?? [];
};

/** What was given up so far, and whether that made a difference. */
export class GivenUp {
  readonly #fragments = new Set<string>();
  #refusedBefore = false;
  #by: string | undefined;
  readonly #onGivenUp: (fragment: string, message: string) => void;

  constructor(onGivenUp: (fragment: string, message: string) => void) {
    this.#onGivenUp = onGivenUp;
  }

  /** Another bpftrace may take what the one before refused. */
  triedBy(bpftrace: string): void {
    if (this.#by !== bpftrace) this.#fragments.clear();
    this.#by = bpftrace;
  }

  /** A program runs. */
  accepted(): void {
    this.#refusedBefore = false;
  }

  /** A program was refused. Returns whether something was given up that was not before: then another one is to be tried. */
  refused(program: Refused, message: string, named?: string): boolean {
    const fragments = toGiveUp(program, message, named, this.#refusedBefore);
    const anew = fragments.some((fragment) => !this.#fragments.has(fragment));
    this.#refusedBefore = !anew;
    for (const fragment of fragments) {
      this.#fragments.add(fragment);
      this.#onGivenUp(fragment, message);
    }
    return anew;
  }
}
