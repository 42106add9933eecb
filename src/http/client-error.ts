/** What was sent is no request that can be answered in the ordinary way: it is told why, and the connection ends. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { errnoOf, MmaplockError } from '../errors.js';
import { securityHeaders } from './access/security-headers.js';
import { problemBody, statusFor } from './problem.js';

const problemOf = (code: string): MmaplockError => {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new MmaplockError('head_too_large', 'the request line and headers are too long');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new MmaplockError('request_timeout', 'the request took too long to come in');
  return new MmaplockError('malformed_request', 'this is no HTTP/1.1 request');
};

/** The answer as it is sent. */
const answerTo = (error: MmaplockError): string => {
  const body = problemBody(error);
  const status = statusFor(error);
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...[...securityHeaders].map(([name, text]) => `${name}: ${text}`),
    'Connection: close',
    '',
    body,
  ].join('\r\n');
};

/**
 * For `clientErrorHandler` of fastify. An error of TLS or of the connection itself is answered by nothing; and so is what
 * follows a request that was served, for an answer to that one may be under way.
 */
export const answerClientError = (error: Error, socket: Socket): void => {
  const code = errnoOf(error) ?? '';
  // More after a request that asked for the end: its answer is under way, and ends the connection.
  if (code === 'HPE_CLOSED_CONNECTION') return;
  const isOfHttp = code.startsWith('HPE_') || code === 'ERR_HTTP_REQUEST_TIMEOUT';
  if (isOfHttp && socket.writable && socket.bytesWritten === 0) socket.write(answerTo(problemOf(code)));
  socket.destroy();
};
