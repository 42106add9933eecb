/** POST /api/v1/inspect: look closer for some seconds. It costs others, so it must be switched on, and asks who asks. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { onRequestAsyncHookHandler } from 'fastify';
import { Type } from 'typebox';
import { describeInspected, inspectedBody } from '../../api/inspected.js';
import type { DaemonView } from '../../api/view.js';
import { MmaplockError } from '../../errors.js';
import type { Log } from '../../log/log.js';
import { createRepeatLimit } from '../../log/once.js';
import { longestInspectSeconds } from '../../watch/inspector.js';
import { BearerGuard } from '../access/bearer.js';
import { refuseCrossOrigin } from '../access/origin.js';
import { readToken } from '../access/token-file.js';
import { inspectPath } from '../paths.js';

/** The security scheme of /openapi.json. */
export const bearerScheme = {
  bearer: { type: 'http', scheme: 'bearer', description: 'The token in the file of inspect.token_file.' },
} as const;

const description = `Answers when inspect mode has looked for so many seconds, and bpftrace has started before.
It is off unless inspect.api is on, and one at a time. Meanwhile a loop of mmap and munmap pays 13 to 29 %.`;

const query = Type.Object(
  {
    seconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: longestInspectSeconds,
        default: 5,
        description: 'How long to look.',
      }),
    ),
    target: Type.Optional(
      Type.String({
        pattern: '^[1-9][0-9]{0,9}$',
        description: 'A pid: only blocks of victims with the name of this process.',
      }),
    ),
  },
  { additionalProperties: false },
);

export const inspectRoutes =
  (view: DaemonView, log: Pick<Log, 'warn'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      inspectPath,
      {
        onRequest: admission(view, log),
        schema: {
          summary: 'Look closer: who really held the lock, and where in the kernel writers stood',
          description,
          security: [{ bearer: [] }],
          querystring: query,
          response: { 200: inspectedBody },
        },
      },
      async ({ query: { seconds = 5, target }, raw: { socket } }) => {
        // The start of the second tracer alone may take bpftrace.start_timeout_seconds, in which nothing is sent.
        const { timeout } = socket;
        socket.setTimeout?.(0); // not there in tests that inject
        const victim = target === undefined ? undefined : nameOf(target, view);
        try {
          return describeInspected(await view.inspector.inspect(seconds), victim, view);
        } finally {
          socket.setTimeout?.(timeout ?? 0);
        }
      },
    );
  };

/** Before anything else is said of a request: whether its sender may ask. */
const admission = (view: DaemonView, log: Pick<Log, 'warn'>): onRequestAsyncHookHandler => {
  const { api, token_file: path } = view.config.inspect;
  const say = createRepeatLimit({ minutes: 60, now: view.monotonic });
  const readOrTell = async (): Promise<string> => {
    try {
      return readToken(path);
    } catch (error) {
      say('token', (unsaid) =>
        log.warn({ err: error, path, unsaid }, 'nobody can ask for inspect mode: there is no token'),
      );
      throw error;
    }
  };
  const guard = new BearerGuard({ readToken: readOrTell, now: view.monotonic });
  return async ({ headers }, reply) => {
    refuseCrossOrigin(headers);
    if (api === 'off') throw new MmaplockError('inspect_off', 'inspect mode is not for the API here');
    const refusal = await guard.refusal(headers.authorization);
    if (refusal === undefined) return;
    reply.headers(refusal.headers);
    throw refusal.error;
  };
};

/** The name of a process, under which its blocks are counted. */
const nameOf = (target: string, view: DaemonView): string => {
  const name = view.processName(Number(target));
  if (name !== undefined) return name;
  throw new MmaplockError('invalid_parameter', `there is no process ${target}`, { field: 'target' });
};
