/** /api/v1/waits. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { listOf, listQuery, pageOf } from '../../api/lists/lists.js';
import { type Order, sortQuery } from '../../api/lists/order.js';
import { matches, nullable } from '../../api/rows.js';
import type { DaemonView } from '../../api/view.js';
import type { WaitTotal } from '../../ledger/waits.js';
import { operations } from '../../vocabulary.js';

const mode = Type.Enum(['read', 'write']);
const operation = Type.Enum([...operations]);

const waitRow = Type.Object({
  mode,
  operation,
  waits_total: Type.Integer(),
  wait_seconds_total: Type.Number({ description: 'Thread-seconds, counted when a wait ends.' }),
});

const ongoingRow = Type.Object({
  mode,
  operation,
  foreign: Type.Boolean({ description: 'It waits for the mmap_lock of another process.' }),
  pid: Type.String(),
  tid: Type.String(),
  process: nullable('Name of the process; null when it is gone.'),
  seconds: Type.Number({ description: 'Since the wait began, as of the last tick.' }),
});

const measure = ({ mode, operation, count, nanoseconds }: WaitTotal) => ({
  mode,
  operation,
  waits_total: count,
  wait_seconds_total: nanoseconds / 1e9,
});

const order: Order<WaitTotal, keyof ReturnType<typeof measure>> = {
  members: ['mode', 'operation', 'waits_total', 'wait_seconds_total'],
  measure,
  key: ({ mode, operation }) => `${mode} ${operation}`,
  normally: '-wait_seconds_total',
};

export const waitRoutes =
  (view: DaemonView): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/v1/waits',
      {
        schema: {
          summary: 'Waits by mode and operation, and the longest of those still going on',
          querystring: Type.Object(
            {
              ...listQuery,
              ...sortQuery(order),
              mode: Type.Optional(mode),
              operation: Type.Optional(operation),
            },
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
        const { waits } = view.ledger;
        const wanted = (row: { mode: string; operation: string }): boolean =>
          matches(query.mode, row.mode) && matches(query.operation, row.operation);
        const totals = [...waits.totals.values()].filter(wanted);
        const ongoing = waits.ongoing
          .filter(wanted)
          .toSorted((a, b) => b.seconds - a.seconds)
          .map(({ pid, tid, ...wait }) => ({
            ...wait,
            pid: String(pid),
            tid: String(tid),
            process: view.processName(pid) ?? null,
          }));
        return { ...pageOf(totals, query, { order, describe: measure, view, complete: true }), ongoing };
      },
    );
  };
