/** The lists of the API, whole: asked of it in this process, so that a recording has just its rows. */

import type { DaemonView } from '../../api/view.js';
import { MmaplockError } from '../../errors.js';
import { buildApp } from '../../http/app.js';
import { createLog } from '../../log/log.js';

type Row = Readonly<Record<string, unknown>>;

export interface ApiList {
  readonly data: readonly Row[];
  /** False when rows were dropped because a bound was reached. */
  readonly complete: boolean;
}

const listNames = ['waits', 'processes', 'readers', 'blocks'] as const;

export type ApiLists = Readonly<Record<(typeof listNames)[number], ApiList>> & {
  /** Waits that still go on. */
  readonly ongoing: readonly Row[];
};

interface Answer extends ApiList {
  readonly next_cursor: string | null;
  readonly ongoing?: readonly Row[];
}

/** Nothing is opened for it: no socket, no file. */
export const askLists = async (view: DaemonView): Promise<ApiLists> => {
  const log = createLog({ level: 'silent', format: 'json' });
  const app = await buildApp(view, log, { host: 'localhost', scope: 'everything' });
  const ask = async (name: string, cursor: string | null): Promise<Answer> => {
    const query = { limit: '1000', ...(cursor === null ? {} : { cursor }) };
    const { statusCode, body } = await app.inject({
      url: `/api/v1/${name}`,
      query,
      headers: { host: 'localhost' },
    });
    if (statusCode !== 200) throw new MmaplockError('internal_error', `/api/v1/${name}: ${body}`);
    return JSON.parse(body) as Answer;
  };
  const askAll = async (name: string): Promise<Answer> => {
    let answer = await ask(name, null);
    const data = [...answer.data];
    while (answer.next_cursor !== null) {
      answer = await ask(name, answer.next_cursor);
      data.push(...answer.data);
    }
    return { ...answer, data };
  };
  try {
    const answers = await Promise.all(listNames.map(askAll));
    const lists = listNames.map((name, index) => {
      const { data, complete } = answers[index] as Answer;
      return [name, { data, complete }] as const;
    });
    return {
      ...(Object.fromEntries(lists) as Record<(typeof listNames)[number], ApiList>),
      ongoing: answers[listNames.indexOf('waits')]?.ongoing ?? [],
    };
  } finally {
    await app.close();
  }
};
