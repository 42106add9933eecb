/**
 * kernel.bpf_stats_enabled: while it is 1, the kernel measures how long each BPF program runs, of everybody's programs,
 * and each run costs some nanoseconds more. So it is ours for moments only, and left alone where it is on already.
 *
 * Whoever dies with it on leaves a mark in the directory of the state: a file whose name holds the boot it is about, for a
 * full disk holds no more than that. The next start, or ExecStopPost= of the unit, switches it off.
 */
import { closeSync, openSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, MmaplockError, messageOf } from '../errors.js';

const markPrefix = 'bpf-stats-on.';

export interface StatsSwitchOptions {
  /** Where the mark is left; empty: nowhere, and nobody can put back what one leaves who is killed. */
  readonly directory: string;
  readonly file?: string;
  /** Names this boot: after another one the switch stands where the host has put it. */
  readonly bootIdFile?: string;
}

export class StatsSwitch {
  readonly #file: string;
  readonly #directory: string;
  readonly #bootIdFile: string;
  #mark: string | undefined;
  #ours = false;

  constructor({
    directory,
    file = '/proc/sys/kernel/bpf_stats_enabled',
    bootIdFile = '/proc/sys/kernel/random/boot_id',
  }: StatsSwitchOptions) {
    this.#directory = directory;
    this.#file = file;
    this.#bootIdFile = bootIdFile;
  }

  /**
   * Whether it is on.
   * @throws MmaplockError `probe_cost_unmeasured` where this kernel has none
   */
  get isOn(): boolean {
    try {
      return readFileSync(this.#file, 'latin1').trim() !== '0';
    } catch (error) {
      throw unmeasured(`cannot read ${this.#file}: ${messageOf(error)}`, error);
    }
  }

  /**
   * Switches it on, unless it is. {@link off} undoes it.
   * @throws MmaplockError `probe_cost_unmeasured` where we may not
   */
  on(): void {
    if (this.#ours || this.isOn) return;
    this.#leaveMark();
    try {
      writeFileSync(this.#file, '1\n', { flag: 'r+' });
      this.#ours = true;
    } catch (error) {
      this.#removeMark();
      throw unmeasured(`cannot write ${this.#file}: ${messageOf(error)}`, error);
    }
  }

  /** Switches it off, where we have switched it on. It does not fail: there is nobody who could do more. */
  off(): void {
    if (!this.#ours) return;
    try {
      writeFileSync(this.#file, '0\n', { flag: 'r+' });
      this.#ours = false;
      this.#removeMark();
    } catch {
      // The mark stays, for the next start to try again.
    }
  }

  /** Switches off what one has left on that was killed. Returns whether there was something to do. */
  restore(): boolean {
    let restored = false;
    for (const name of this.#marks()) {
      const path = join(this.#directory, name);
      try {
        if (name === this.#markName() && this.isOn) {
          writeFileSync(this.#file, '0\n', { flag: 'r+' });
          restored = true;
        }
        unlinkSync(path);
      } catch {
        // Read-only, or gone meanwhile.
      }
    }
    return restored;
  }

  #marks(): string[] {
    if (this.#directory === '') return [];
    try {
      return readdirSync(this.#directory).filter((name) => name.startsWith(markPrefix));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return [];
      throw error;
    }
  }

  /** As %b of systemd.unit(5) has it: without dashes. */
  #markName(): string {
    return markPrefix + readFileSync(this.#bootIdFile, 'latin1').trim().replaceAll('-', '');
  }

  #leaveMark(): void {
    if (this.#directory === '') return;
    try {
      this.#mark = join(this.#directory, this.#markName());
      // It is new, or nothing that we would write to: no link is followed.
      closeSync(openSync(this.#mark, 'wx', 0o640));
    } catch (error) {
      const already = errnoOf(error) === 'EEXIST';
      this.#mark = already ? this.#mark : undefined;
    }
  }

  #removeMark(): void {
    try {
      if (this.#mark !== undefined) unlinkSync(this.#mark);
    } catch {
      // Gone, or the disk is read-only: a mark too many switches off what is off.
    }
    this.#mark = undefined;
  }
}

const unmeasured = (message: string, cause: unknown): MmaplockError =>
  new MmaplockError('probe_cost_unmeasured', message, { cause, field: 'cost.measure' });
