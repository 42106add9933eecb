/** What inspect mode found. */
import { Type } from 'typebox';
import { isoTime } from '../clock.js';
import { procFiles } from '../vocabulary.js';
import type { Inspected } from '../watch/inspector.js';
import { blockRow, describeBlock } from './block-rows.js';
import type { DaemonView } from './view.js';

/** The body of the answer to POST /api/v1/inspect. */
export const inspectedBody = Type.Object({
  started_at: Type.String({ format: 'date-time' }),
  ended_at: Type.String({ format: 'date-time' }),
  evidence: Type.Enum(['overlap'], {
    description: 'What the seconds of blocks rest on: overlap of waits with real holds, not with windows.',
  }),
  complete: Type.Boolean({ description: 'False when bpftrace lost some of it, or a bound was reached.' }),
  data: Type.Array(Type.Object(blockRow), { description: 'Blocks, most seconds first.' }),
  holds: Type.Array(
    Type.Object({
      file: Type.Enum([...procFiles]),
      holds_total: Type.Integer({ description: 'How often a reader of this file had the mmap_lock.' }),
      hold_seconds_total: Type.Number({ description: 'From the grant to the release.' }),
    }),
    { description: 'Of readers of all processes, whatever the target.' },
  ),
  kernel_stacks: Type.Array(
    Type.Object({
      frames: Type.Array(Type.String(), { description: 'Innermost function first.' }),
      count: Type.Integer(),
    }),
    { description: 'Where blocked writers stood, of all processes, whatever the target.' },
  ),
});

/** @param victim only blocks of victims of this name */
export const describeInspected = (
  { startedAt, endedAt, complete, blocks, holds, stacks }: Inspected,
  victim: string | undefined,
  view: DaemonView,
) => ({
  started_at: isoTime(view, startedAt),
  ended_at: isoTime(view, endedAt),
  evidence: 'overlap' as const,
  complete,
  data: blocks
    .filter((entry) => victim === undefined || entry.victim.name === victim)
    .map((entry) => describeBlock(entry, view)),
  holds: holds.map(({ file, count, nanoseconds }) => ({
    file,
    holds_total: count,
    hold_seconds_total: nanoseconds / 1e9,
  })),
  kernel_stacks: stacks.map(({ frames, count }) => ({ frames: [...frames], count })),
});
