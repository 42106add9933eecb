/** /api/v1/waits and /api/v1/processes. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { ProcessEntry } from '../ledger/processes.js';
import { operations } from '../vocabulary.js';
import type { DaemonView } from './context.js';
import { listOf, listQuery, pageOf, sinceQuery, sinceTime } from './lists.js';
import {
  countOrNull,
  identityOf,
  identityRow,
  idOrNull,
  matches,
  nameQuery,
  nullable,
  secondsOrNull,
} from './rows.js';

const mode = Type.Enum(['read', 'write']);

const waitRow = Type.Object({
  mode,
  operation: Type.Enum([...operations]),
  waits_total: Type.Integer(),
  wait_seconds_total: Type.Number({ description: 'Thread-seconds, counted when a wait ends.' }),
});

const ongoingRow = Type.Object({
  mode,
  operation: Type.Enum([...operations]),
  foreign: Type.Boolean({ description: 'It waits for the mmap_lock of another process.' }),
  pid: Type.String(),
  tid: Type.String(),
  process: nullable('Name of the process; null when it is gone.'),
  seconds: Type.Number({ description: 'Since the wait began, as of the last tick.' }),
});

const processRow = Type.Object({
  process: Type.String({ description: 'comm of the thread-group leader.' }),
  cgroup_id: Type.String(),
  ...identityRow,
  last_pid: nullable('The process of that name that waited last; VMA waits do not tell it.'),
  read_waits_total: Type.Integer(),
  read_wait_seconds_total: Type.Number(),
  write_waits_total: Type.Integer(),
  write_wait_seconds_total: Type.Number(),
  vma_waits_total: countOrNull(
    'Times a writer that held mmap_lock slept until the readers of one VMA let go of it. Not among the waits.',
  ),
  vma_wait_seconds_total: secondsOrNull('Thread-seconds of VMA waits. Not among the seconds of the waits.'),
  last_wait_at: Type.String({ format: 'date-time', description: 'VMA waits included.' }),
});

export const waitRoutes =
  (view: DaemonView): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/v1/waits',
      {
        schema: {
          summary: 'Waits by mode and operation, and the longest of those still going on',
          querystring: Type.Object(
            { ...listQuery, mode: Type.Optional(mode) },
            { additionalProperties: false },
          ),
          response: {
            200: listOf(waitRow, {
              ongoing: Type.Array(ongoingRow, { description: 'Oldest first, at most 64 a mode.' }),
            }),
          },
        },
      },
      async ({ query }) => {
        const { waits, asOf } = view.ledger;
        const wanted = (row: { mode: string }): boolean => matches(query.mode, row.mode);
        const rows = [...waits.totals.values()]
          .filter(wanted)
          .sort((a, b) => b.nanoseconds - a.nanoseconds)
          .map((total) => ({
            mode: total.mode,
            operation: total.operation,
            waits_total: total.count,
            wait_seconds_total: total.nanoseconds / 1e9,
          }));
        const ongoing = waits.ongoing
          .filter(wanted)
          .toSorted((a, b) => b.seconds - a.seconds)
          .map(({ pid, tid, ...wait }) => ({
            ...wait,
            pid: String(pid),
            tid: String(tid),
            process: view.processName(pid) ?? null,
          }));
        return { ...pageOf(rows, query, { asOf, complete: true }), ongoing };
      },
    );

    app.get(
      '/api/v1/processes',
      {
        schema: {
          summary: 'Who waits: processes by name and cgroup, longest waiting first, VMA waits included',
          querystring: Type.Object(
            { ...listQuery, ...sinceQuery, process: nameQuery },
            { additionalProperties: false },
          ),
          response: { 200: listOf(processRow) },
        },
      },
      async ({ query }) => {
        const { waits, asOf } = view.ledger;
        const from = query.since === undefined ? 0 : sinceTime(query.since, view.now());
        const rows = waits.list
          .entries()
          .filter(({ name, lastAt }) => lastAt >= from && matches(query.process, name))
          .sort((a, b) => waited(b) - waited(a));
        const page = pageOf(rows, query, { asOf, complete: waits.list.dropped === 0 });
        return { ...page, data: page.data.map((entry) => describe(entry, view)) };
      },
    );
  };

const waited = ({ waits: { read, write }, vmaWaits }: ProcessEntry): number =>
  read.nanoseconds + write.nanoseconds + vmaWaits.nanoseconds;

const describe = (entry: ProcessEntry, view: DaemonView) => {
  const { name, cgroupId, lastPid, lastAt, waits, vmaWaits } = entry;
  const vmaWaitsObserved = view.plan().observables.vma_waits.observed;
  return {
    process: name,
    cgroup_id: cgroupId,
    ...identityOf(view, cgroupId),
    last_pid: idOrNull(lastPid),
    read_waits_total: waits.read.count,
    read_wait_seconds_total: waits.read.nanoseconds / 1e9,
    write_waits_total: waits.write.count,
    write_wait_seconds_total: waits.write.nanoseconds / 1e9,
    vma_waits_total: vmaWaitsObserved ? vmaWaits.count : null,
    vma_wait_seconds_total: vmaWaitsObserved ? vmaWaits.nanoseconds / 1e9 : null,
    last_wait_at: new Date(lastAt).toISOString(),
  };
};
