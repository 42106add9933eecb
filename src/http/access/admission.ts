/** What is looked at before a request is served: the headers every answer has, who is asked, and who asks. */
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { MmaplockError } from '../../errors.js';
import { longestBody, longestTarget } from '../listen/limits.js';
import type { WebConfig } from '../listen/web-config.js';
import { inspectPath } from '../paths.js';
import { sendProblem } from '../problem.js';
import type { BasicGuard } from './basic-auth.js';
import { createHostCheck, isLoopback } from './host-header.js';
import type { RateLimit } from './rate-limit.js';
import { securityHeaders } from './security-headers.js';

/** How those are known who ask over the network. */
export interface Door {
  readonly web: WebConfig;
  readonly guard: BasicGuard;
  readonly rate: RateLimit;
}

export interface AdmissionOptions {
  /** What the listener listens on. */
  readonly host: string;
  readonly allowedHosts: readonly string[];
  /** Nothing is served but what all may read who reach the listener. */
  readonly anyHost: boolean;
  /** Undefined where the file mode of a socket says who may ask. */
  readonly door: Door | undefined;
}

/** Monitoring knows a host by whatever name its DNS has, and what it reads is served to all who can reach the host. */
const servedUnderAnyName: ReadonlySet<string | undefined> = new Set(['/metrics', '/-/healthy', '/-/ready']);

/** A probe of Kubernetes has no password; and inspect mode asks for its token in the header that would hold one. */
const servedWithoutPassword: ReadonlySet<string | undefined> = new Set(['/-/healthy', inspectPath]);

/** The headers that every answer has. */
export const headersOf = (door: Door | undefined): ReadonlyMap<string, string> =>
  new Map([...securityHeaders, ...(door?.web.current().headers ?? [])]);

/** RFC 9112, 3.2: one, and none only before HTTP/1.1. What stands before us may take another one for that of the request. */
const hostsWrong = ({ rawHeaders, httpVersion }: IncomingMessage): MmaplockError | undefined => {
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
  if (hosts === 1 || (hosts === 0 && httpVersion === '1.0')) return undefined;
  return new MmaplockError('malformed_request', `a request has one Host header, and this has ${hosts}`, {
    field: 'Host',
  });
};

/** What no request may be, whoever sends it. */
const tooLarge = ({ url, headers }: IncomingMessage): MmaplockError | undefined => {
  if ((url ?? '').length > longestTarget)
    return new MmaplockError(
      'target_too_long',
      `path and query are longer than ${longestTarget} characters`,
      {
        field: 'path',
      },
    );
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = headers;
  if (encoding === undefined && Number(length) <= longestBody) return undefined;
  return new MmaplockError(
    'body_too_large',
    `a body of more than ${longestBody} bytes, or of a length not told`,
  );
};

/** The path of the route that was found; undefined where there is none, or not with this method. */
const routeOf = (request: FastifyRequest): string | undefined => request.routeOptions.url;

export const useAdmission = (
  app: FastifyInstance,
  { host, allowedHosts, anyHost, door }: AdmissionOptions,
): void => {
  const isForUs = createHostCheck(host, allowedHosts);
  const loopback = isLoopback(host);
  app.addHook('onRequest', async (request, reply) => {
    // On the bare response, so that a stream has them too.
    for (const [name, text] of headersOf(door)) reply.raw.setHeader(name, text);
    const error = hostsWrong(request.raw) ?? tooLarge(request.raw);
    // What else is sent is not read.
    if (error !== undefined) return sendProblem(reply.header('connection', 'close'), error);
    const full = door?.rate.refusal();
    if (full !== undefined) return sendProblem(reply.headers(full.headers), full.error);
    const anyName = anyHost || (!loopback && servedUnderAnyName.has(routeOf(request)));
    if (anyName || isForUs(request.headers.host)) return;
    return sendProblem(
      reply,
      new MmaplockError('host_not_allowed', 'the Host header does not name this daemon', { field: 'Host' }),
    );
  });
  if (door === undefined) return;
  app.addHook('onRequest', async (request, reply) => {
    if (servedWithoutPassword.has(routeOf(request))) return;
    const { authorization } = request.headers;
    const refusal = await door.guard.refusal(authorization, request.socket.remoteAddress ?? '');
    if (refusal === undefined) return;
    return sendProblem(reply.headers(refusal.headers), refusal.error);
  });
};
