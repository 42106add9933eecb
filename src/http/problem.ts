/** All errors of the API leave as application/problem+json (RFC 9457) with a stable `code` and the `field` at fault. */
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import { type ErrorCode, errorCatalog, MmaplockError } from '../errors.js';

// An import of node:http by name would also load what it exports for clients, WebSocket: 5 MB, and 60 ms at each start.
const { STATUS_CODES } = process.getBuiltinModule('node:http');

const statusOf: Partial<Record<ErrorCode, number>> = {
  malformed_request: 400,
  unknown_parameter: 400,
  invalid_parameter: 400,
  host_not_allowed: 421,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  body_too_large: 413,
  target_too_long: 414,
  head_too_large: 431,
  too_many_requests: 429,
  too_many_streams: 503,
  inspect_off: 403,
  origin_not_allowed: 403,
  unauthorized: 401,
  too_many_failures: 429,
  token_unreadable: 503,
  inspect_running: 409,
  inspect_unavailable: 503,
  inspect_shed: 503,
  // What inspect mode ends of; nothing else here waits for a tracer.
  not_root: 503,
  program_rejected: 503,
  too_few_descriptors: 503,
  attach_incomplete: 503,
  tracer_exited: 503,
  tracer_killed: 503,
  tracer_start_timeout: 503,
};

/** Those that any route takes. */
const methods = ['GET', 'HEAD', 'POST'] as const;

/** Characters of a path or parameter name that an answer repeats at most. */
const longestQuoted = 200;

/** The status of an answer, which follows from the code. */
export const statusFor = ({ code }: MmaplockError): number => statusOf[code] ?? 500;

/** The body of an answer. */
export const problemBody = (error: MmaplockError): string => {
  const status = statusFor(error);
  return JSON.stringify({
    type: 'about:blank',
    title: STATUS_CODES[status],
    status,
    code: error.code,
    detail: error.message,
    ...(error.field === undefined ? {} : { field: error.field }),
    fix: error.fix,
  });
};

/** Sends one problem. */
export const sendProblem = (reply: FastifyReply, error: MmaplockError): FastifyReply =>
  reply.code(statusFor(error)).type('application/problem+json').send(problemBody(error));

/** The values an enumeration allows, as ajv tells them. */
const allowedOf = ({ params }: { readonly params: Readonly<Record<string, unknown>> }): string =>
  (params.allowedValues as readonly string[]).join(', ');

/** What fastify found wrong with a request, in our words. */
const fromFastify = (error: FastifyError): MmaplockError | undefined => {
  const [first] = error.validation ?? [];
  if (first === undefined) return undefined;
  if (first.keyword === 'additionalProperties') {
    const field = String(first.params.additionalProperty).slice(0, longestQuoted);
    return new MmaplockError('unknown_parameter', `there is no parameter "${field}" here`, { field });
  }
  const field = first.instancePath.replace(/^\//, '');
  const wrong =
    first.keyword === 'enum' ? `is none of ${allowedOf(first)}` : (first.message ?? 'is not valid');
  return new MmaplockError('invalid_parameter', `${field} ${wrong}`, { field });
};

/** What fastify answers before any route or hook: a path that cannot be decoded. */
export const sendBadPath = (reply: FastifyReply): FastifyReply =>
  sendProblem(
    reply,
    new MmaplockError('invalid_parameter', 'the path holds a % that is no escape', {
      field: 'path',
      fix: errorCatalog.not_found,
    }),
  );

/** Routes every error of an application to {@link sendProblem}. */
export const useProblems = (app: FastifyInstance): void => {
  app.setErrorHandler((error: FastifyError | MmaplockError, request, reply) => {
    const known = error instanceof MmaplockError ? error : fromFastify(error);
    if (known !== undefined) return sendProblem(reply, known);
    const status = (error as FastifyError).statusCode ?? 500;
    if (status < 500)
      return sendProblem(
        reply,
        new MmaplockError('invalid_parameter', error.message, { fix: errorCatalog.not_found }),
      );
    request.log.error({ err: error }, 'a request failed');
    return sendProblem(reply, new MmaplockError('internal_error', 'the request failed inside mmaplockd'));
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.replace(/\?.*$/s, '').slice(0, longestQuoted);
    const allowed = methods.filter((method) => app.hasRoute({ url: path, method }));
    if (allowed.length === 0)
      return sendProblem(reply, new MmaplockError('not_found', `there is nothing at ${path}`));
    reply.header('allow', allowed.join(', '));
    return sendProblem(
      reply,
      new MmaplockError('method_not_allowed', `${request.method} is not allowed on ${path}`, {
        fix: `Use ${allowed[0]}.`,
      }),
    );
  });
};
