/** Files of `--web.config.file`, certificates, and requests over real sockets. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { Patience } from '../../src/http/listen/limits.js';
import { type Listener, listen } from '../../src/http/server.js';
import { createLog } from '../../src/log/log.js';
import { packageRoot } from '../../src/package-root.js';
import { temporaryFolder } from '../bpftrace/fake.js';
import type { FakeDaemon } from './daemon.js';
import { quietDaemon } from './scenes.js';

/** Of the password `correct horse`; the cost is the lowest there is. */
export const hash = '$2b$04$H6Ob41qMHgS39EdOy5oxp.0W1LccJhznPAqGrOXgIG21D0vtS.bTe';

export const basic = (name: string, password: string): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

export const authorization = basic('prometheus', 'correct horse');

/** A file of test/http/fixtures, which make.sh there makes. */
export const fixture = (name: string): string => path.join(packageRoot, 'test/http/fixtures', name);

/** A file with this content in a folder of its own. */
export const webFile = (context: TestContext, content: string): string => {
  const file = path.join(temporaryFolder(context), 'web.yaml');
  writeFileSync(file, content);
  return file;
};

/** Puts another file into its place, as those do who deploy: it is another one however fast that is. */
export const replace = (file: string, content: string | Uint8Array): void => {
  writeFileSync(`${file}.next`, content);
  renameSync(`${file}.next`, file);
};

export const tlsOf = (name: string): string =>
  `tls_server_config: {cert_file: ${fixture(`${name}.pem`)}, key_file: ${fixture(`${name}-key.pem`)}}\n`;

export interface OpenListeners {
  readonly listeners: readonly Listener[];
  readonly daemon: FakeDaemon;
  /** Every line logged at info or above. */
  readonly log: readonly string[];
}

/** Opens the listeners of a configuration, which are closed after the test. */
export const openListeners = async (
  context: TestContext,
  flags: Readonly<Record<string, unknown>>,
  patience?: Patience,
): Promise<OpenListeners> => {
  const log: string[] = [];
  const daemon = quietDaemon({ flags: { 'web.listen_address': ['127.0.0.1:0'], ...flags } });
  const stream = { write: (line: string) => log.push(line) };
  const listeners = await listen(daemon.view, createLog({ level: 'info', format: 'json', stream }), patience);
  context.after(() => Promise.all(listeners.map((listener) => listener.close())));
  return { listeners, daemon, log };
};

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Common name of the certificate of the server. */
  readonly servedBy: string | undefined;
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A fixture that the client shows: its name without `.pem`. */
  readonly client?: string;
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** A request on a connection of its own. `url` is that of a listener: http, https, or unix. */
export const askUrl = (url: string, target: string, options: AskOptions = {}): Promise<Answer> => {
  const { client, method = 'GET', headers, maxVersion } = options;
  const common = { method, headers: { ...headers }, path: target, agent: false as const };
  return new Promise((resolve, reject) => {
    const sent = url.startsWith('unix:')
      ? httpRequest({ ...common, socketPath: url.slice('unix:'.length) })
      : url.startsWith('https:')
        ? httpsRequest({
            ...common,
            hostname: '127.0.0.1',
            port: new URL(url).port,
            ca: readFileSync(fixture('authority.pem')),
            ...(maxVersion && { maxVersion }),
            ...(client && {
              cert: readFileSync(fixture(`${client}.pem`)),
              key: readFileSync(fixture(`${client}-key.pem`)),
            }),
          })
        : httpRequest({ ...common, hostname: '127.0.0.1', port: new URL(url).port });
    sent.on('error', reject);
    sent.on('response', (response) => {
      const { socket } = response;
      const certificate =
        'getPeerCertificate' in socket
          ? (socket.getPeerCertificate as () => { subject?: { CN?: string } })()
          : {};
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text) => {
        body += text;
      });
      response.on('end', () =>
        resolve({
          status: response.statusCode as number,
          headers: response.headers,
          body,
          servedBy: certificate.subject?.CN,
        }),
      );
      response.on('error', reject);
    });
    sent.end();
  });
};
