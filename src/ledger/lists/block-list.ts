/** Blocks by names and cgroups of reader and victim, and by file, for the API. */
import type { Named, ReaderBlockRow } from '../../records.js';
import { type ProcFile, unknown } from '../../vocabulary.js';
import { RecentEntries } from './recent.js';

/** The file whose reader blocked; `~unknown` where no reader can be shown. */
export type BlockFile = ProcFile | typeof unknown;

export interface BlockTotal {
  count: number;
  nanoseconds: number;
}

export const nothing = (): BlockTotal => ({ count: 0, nanoseconds: 0 });

export interface BlockEntry extends BlockTotal {
  /** Undefined where no reader can be shown. */
  readonly reader: Named | undefined;
  readonly victim: Named;
  readonly file: BlockFile;
  /** When it blocked last, by the clock of the daemon. */
  lastSeenAt: number;
}

/** Names may hold spaces. */
export const blockKey = ({ file, reader, victim }: ReaderBlockRow): string =>
  JSON.stringify([file, reader?.cgroupId, reader?.name, victim.cgroupId, victim.name]);

export class BlockList extends RecentEntries<BlockEntry> {
  /** @param amounts count, nanoseconds */
  add(row: ReaderBlockRow, amounts: readonly number[], at: number): void {
    const { file = unknown, reader, victim } = row;
    const entry = this.written(blockKey(row), () => ({ reader, victim, file, ...nothing(), lastSeenAt: at }));
    const [count = 0, nanoseconds = 0] = amounts;
    entry.count += count;
    entry.nanoseconds += nanoseconds;
    entry.lastSeenAt = at;
  }
}
