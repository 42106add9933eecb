/** /api/v1/history: the last quarter of an hour in columns of some seconds. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { columnOf, columnOrder, columnRow } from '../../api/column-rows.js';
import { hostSentenceOf } from '../../api/host-state.js';
import type { DaemonView } from '../../api/view.js';
import { asOf } from '../lists/lists.js';

const history = Type.Object({
  as_of: Type.Union([Type.String(), Type.Null()], {
    description: 'Of the newest tick; null before the first.',
  }),
  sentence: Type.String({ description: 'The last minute in words.' }),
  column_seconds: Type.Number(),
  operations: Type.Array(Type.String()),
  duration_bounds_seconds: Type.Array(Type.Number(), { description: 'Upper bounds.' }),
  columns: Type.Array(columnRow, {
    description: 'Oldest first. The last may go on. None where nothing was observed.',
  }),
});

/** The body, for the page that is kept in a file as well. */
export const historyOf = (view: DaemonView) => {
  const { history } = view.ledger;
  return {
    as_of: asOf(view),
    sentence: hostSentenceOf(view),
    column_seconds: history.options.columnSeconds,
    ...columnOrder,
    columns: history.columns.map((column) => columnOf(view, column)),
  };
};

export type History = ReturnType<typeof historyOf>;

export const historyRoutes =
  (view: DaemonView): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/v1/history',
      {
        schema: {
          summary: 'The last quarter of an hour in columns of 5 s: waits, durations, files, who blocked whom',
          querystring: Type.Object({}, { additionalProperties: false }),
          response: { 200: history },
        },
      },
      async () => historyOf(view),
    );
  };
