/** The last quarter of an hour in columns of some seconds. */
import { Type } from 'typebox';
import { asOf } from './as-of.js';
import { columnOf, columnOrder, columnRow } from './column-rows.js';
import { hostSentenceOf } from './host-state.js';
import type { DaemonView } from './view.js';

export const historyBody = Type.Object({
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

/** The body of /api/v1/history, and of the page that is kept in a file. */
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
