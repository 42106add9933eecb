/** Asks a daemon: over its unix socket, or at an address. */
import { existsSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Config } from '../../config/schema.js';
import { MmaplockError, messageOf } from '../../errors.js';

export interface Source {
  /** For people. */
  readonly name: string;
  /**
   * What the daemon answers, whatever its status.
   * @throws MmaplockError daemon_unreachable
   */
  get<Body>(path: string): Promise<Body>;
}

interface Place {
  readonly name: string;
  readonly url: URL;
  readonly socketPath?: string;
}

/** Longer than any answer is: nobody sends a terminal more. */
const longestAnswer = 32 * 2 ** 20;

const answerMilliseconds = 5000;

/**
 * The daemon that `--url` names; else the one of this host, by its socket where there is one.
 * @throws MmaplockError invalid_flag where the URL is none
 */
export const openSource = (url: string | undefined, { web }: Pick<Config, 'web'>): Source => {
  const place = placeOf(url, web);
  return { name: place.name, get: (path) => ask(place, path) };
};

const placeOf = (text: string | undefined, web: Config['web']): Place => {
  if (text !== undefined) {
    const url = urlOf(text);
    // A password is not for a screen, nor for a log.
    return { name: `${url.protocol}//${url.host}`, url };
  }
  const { unix_socket: socketPath, listen_address: addresses } = web;
  if (socketPath !== '' && existsSync(socketPath))
    return { name: socketPath, socketPath, url: new URL('http://localhost/') };
  const [address = '127.0.0.1:10465'] = addresses;
  // One that listens on all addresses is asked on this host's own.
  const own = address.replace(/^(0\.0\.0\.0|\[::\]|):/, '127.0.0.1:');
  return { name: own, url: new URL(`http://${own}/`) };
};

const urlOf = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && ['http:', 'https:'].includes(url.protocol)) return url;
  throw new MmaplockError('invalid_flag', '--url: expected an address such as http://127.0.0.1:10465', {
    field: '--url',
  });
};

const ask = async <Body>(place: Place, path: string): Promise<Body> => {
  const { url, socketPath } = place;
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const password =
    url.username === ''
      ? {}
      : { auth: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = { ...password, timeout: answerMilliseconds, ...(socketPath && { socketPath }) };
    const asked = request(new URL(path, url), options, resolve);
    asked.on('timeout', () => asked.destroy(new Error(`no answer within ${answerMilliseconds / 1000} s`)));
    asked.on('error', reject);
    asked.end();
  }).catch((error: unknown) => {
    throw unreachable(place, messageOf(error) || String(error));
  });
  const text = await textOf(answer).catch((error: unknown) => {
    throw unreachable(place, messageOf(error));
  });
  const body = parse(text);
  const { statusCode = 0 } = answer;
  // /-/ready says 503 with what is not ready.
  if (body === undefined || (statusCode >= 400 && statusCode !== 503))
    throw unreachable(place, (body as { detail?: string } | undefined)?.detail ?? `it answers ${statusCode}`);
  return body as Body;
};

const unreachable = ({ name }: Place, why: string): MmaplockError =>
  new MmaplockError('daemon_unreachable', `the daemon at ${name} does not tell: ${why}`);

const textOf = async (answer: IncomingMessage): Promise<string> => {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > longestAnswer) throw new Error('its answer does not end');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
};

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
