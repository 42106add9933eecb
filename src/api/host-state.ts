/** What the page shows at first sight: the sentence on this host, and the column that goes on. */
import { hostSentence, lastMinute } from '../evidence/host-sentence.js';
import { type ColumnView, columnOf } from './column-rows.js';
import type { DaemonView } from './view.js';

type StateView = ColumnView & Pick<DaemonView, 'readiness'>;

/** The sentence of src/evidence/host-sentence.ts, as of the newest tick. */
export const hostSentenceOf = (view: StateView): string => {
  const { ready, problems } = view.readiness();
  const { observables } = view.plan();
  const { columns, options } = view.ledger.history;
  return hostSentence(
    {
      columns: lastMinute(columns, options.columnSeconds, view.ledger.asOf),
      blind: ready ? undefined : (problems.at(-1)?.message ?? 'the tracer is not up'),
      blocksObserved: observables.blocks.observed,
      blockedTimeObserved: observables.blocked_time.observed,
    },
    view.cgroup,
  );
};

/** The event `column` of the stream. */
export const liveColumnOf = (view: StateView) => {
  const column = view.ledger.history.columns.at(-1);
  return {
    sentence: hostSentenceOf(view),
    observing: view.readiness().ready,
    column: column === undefined ? null : columnOf(view, column),
  };
};
