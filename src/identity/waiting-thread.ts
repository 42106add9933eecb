/**
 * Waits whose end no probe saw (the kernel skips some, and counts them): told by their threads, for one that runs on
 * does not wait. Without that such a wait would go on until the thread waits again, or ends.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isGone, parseStat } from './process.js';

/** A wait that is said to go on. */
interface Wait {
  readonly pid: number;
  readonly tid: number;
  readonly seconds: number;
}

/** A wait this long is looked at: few are, and only those make somebody look. */
const doubtfulSeconds = 1;

/**
 * Clock ticks (1/100 s) in user mode that are proof: more than one, for the kernel divides what a thread ran by what its
 * timer saw (cputime_adjust(), kernel/sched/cputime.c), and one that is woken again and again in its wait runs, too.
 */
const userTicks = 2;

/** What is known of the thread of a wait that was looked at. */
interface Look {
  /** Of the wait, at the last tick. */
  readonly seconds: number;
  /** Of the thread, when it was looked at first: ticks in user mode. */
  readonly user: number;
  readonly ranOn: boolean;
}

/** Looks at threads that may wait for a lock, tick by tick. */
export class WaitingThreads {
  readonly #root: string;
  #looks = new Map<number, Look>();

  constructor(root = '/proc') {
    this.#root = root;
  }

  /**
   * Of all waits that go on at a tick, those that may be true. A long one is true while its thread sleeps
   * uninterruptibly (`D`: rwsem_down_read_slowpath() and rwsem_down_write_slowpath(), kernel/locking/rwsem.c) or has just
   * been woken (`R`), and was not in user mode since it was first looked at. A thread that has no CPU stays.
   */
  among<W extends Wait>(waits: readonly W[]): readonly W[] {
    const looks = new Map<number, Look>();
    const goOn = waits.filter((wait) => {
      if (wait.seconds < doubtfulSeconds) return true;
      const before = this.#looks.get(wait.tid);
      const thread = this.#threadOf(wait);
      if (thread === undefined) return false;
      // A wait gets older; one that is not is another one.
      const known = before !== undefined && before.seconds < wait.seconds ? before : undefined;
      const user = known?.user ?? thread.user;
      const ranOn = known?.ranOn === true || thread.user - user >= userTicks;
      looks.set(wait.tid, { seconds: wait.seconds, user, ranOn });
      return !ranOn && mayWait.has(thread.state);
    });
    this.#looks = looks;
    return goOn;
  }

  /** Undefined where it is gone. */
  #threadOf({ pid, tid }: Wait): { readonly state: string; readonly user: number } | undefined {
    try {
      const file = join(this.#root, String(pid), 'task', String(tid), 'stat');
      const stat = parseStat(readFileSync(file, 'latin1'));
      return { state: stat[3] ?? '', user: Number(stat[14]) };
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }
}

const mayWait: ReadonlySet<string> = new Set(['D', 'R']);
