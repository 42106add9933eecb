/** /api/v1/stream: what happens, as it happens. */
import type { ServerResponse } from 'node:http';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { type StreamType, streamTypes, usualTypes } from '../../api/stream/hub.js';
import type { DaemonView } from '../../api/view.js';
import { MmaplockError } from '../../errors.js';

const headers = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  // nginx would hold events back.
  'x-accel-buffering': 'no',
  // The connection serves nothing after it: when a stream ends, so does the connection.
  connection: 'close',
};

/** Of a client that was refused, seconds until it should try again. */
const retryAfterSeconds = 30;

const description = `Server-sent events.
\`tick\`: what one tick of the tracer brought, or that the tracer ended; members as in the lists, without _total.
\`incident\`: an incident was opened or closed.
\`column\`, only if asked for: after each tick, the column of /api/v1/history that goes on, in the place of what was sent of
it before, and the sentence. It has no id, and is not sent again to who comes back.
\`gap\`: events were lost between Last-Event-ID and what follows: too_old, or of other_start of the daemon.
A comment comes every 15 s. A client that does not read is cut, and can resume with Last-Event-ID.`;

export const streamRoutes =
  (view: DaemonView): FastifyPluginAsyncTypebox =>
  async (app) => {
    const open = new Set<ServerResponse>();
    // A listener waits for all its connections before it is closed.
    app.addHook('preClose', async () => open.forEach(end));
    app.get(
      '/api/v1/stream',
      {
        schema: {
          summary: 'Ticks and incidents as they happen, as server-sent events',
          querystring: Type.Object(
            {
              types: Type.Optional(
                Type.String({
                  maxLength: 64,
                  default: usualTypes.join(','),
                  description: `Types of events, separated by commas: ${streamTypes.join(', ')}.`,
                }),
              ),
            },
            { additionalProperties: false },
          ),
          headers: Type.Object({
            'last-event-id': Type.Optional(
              Type.String({ description: 'Id of the event seen last: the stream goes on after it.' }),
            ),
          }),
          response: {
            200: { description, content: { 'text/event-stream': { schema: Type.String() } } },
          },
        },
      },
      async (request, reply) => {
        const types = typesOf(request.query.types);
        if (request.method === 'HEAD') return reply.headers(headers).send('');
        if (view.stream.full) {
          reply.header('retry-after', retryAfterSeconds);
          throw new MmaplockError('too_many_streams', 'as many clients as are allowed listen already');
        }
        reply.hijack();
        const { raw } = reply;
        raw.writeHead(200, headers);
        open.add(raw);
        const seat = view.stream.join(
          {
            write: (bytes) => raw.write(bytes),
            unsent: () => raw.writableLength,
            cut: () => raw.destroy(),
          },
          { types, lastEventId: request.headers['last-event-id'] || undefined },
        );
        raw.on('drain', seat.drained);
        raw.on('close', () => {
          open.delete(raw);
          seat.leave();
        });
        return reply;
      },
    );
  };

/** Ends a stream in order where that takes no waiting. */
const end = (raw: ServerResponse): void => {
  raw.end();
  if (raw.writableLength > 0) raw.destroy();
};

const typesOf = (text: string = usualTypes.join(',')): ReadonlySet<StreamType> => {
  const types = new Set(text.split(','));
  const unknown = [...types].find((type) => !(streamTypes as readonly string[]).includes(type));
  if (unknown === undefined) return types as ReadonlySet<string> as ReadonlySet<StreamType>;
  throw new MmaplockError('invalid_parameter', `types are some of ${streamTypes.join(', ')}`, {
    field: 'types',
  });
};
