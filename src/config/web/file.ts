/**
 * The file of `--web.config.file`: TLS, passwords and headers of all TCP listeners, in the format that exporters of
 * Prometheus share (exporter-toolkit, docs/web-configuration.md). What of it is not served is refused, not passed over.
 */
import path from 'node:path';
import { Type } from 'typebox';
import { openYamlFile, type YamlEntry, type YamlFile } from '../yaml-file.js';
import { sectionOf, valuesOf, webFileField, wrong } from './section.js';
import { type WebTls, webTlsOf } from './tls.js';

/** How many requests are served: `burst` at once, and one more each `intervalMilliseconds`. */
export interface WebRate {
  readonly intervalMilliseconds: number;
  readonly burst: number;
}

/** What the file says; paths are absolute, or relative to the directory of this process. */
export interface WebFile {
  readonly tls: WebTls | undefined;
  /** Headers of every answer, in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** The bcrypt hash of each user's password. */
  readonly users: ReadonlyMap<string, string>;
  /** Undefined: as many requests as come. */
  readonly rate: WebRate | undefined;
}

const headerText = Type.String({ accepts: 'visible ASCII characters', pattern: '^[\\x20-\\x7e]*$' });

const headerKeys = {
  'Content-Security-Policy': headerText,
  'Strict-Transport-Security': headerText,
  'X-Content-Type-Options': Type.Enum(['', 'nosniff']),
  'X-Frame-Options': Type.Enum(['', 'deny', 'sameorigin']),
  'X-XSS-Protection': headerText,
};
const httpKeys = { http2: undefined, headers: undefined };
const fileKeys = {
  tls_server_config: undefined,
  http_server_config: undefined,
  basic_auth_users: undefined,
  rate_limit: undefined,
};

/** A duration of Go, up to a minute between two requests. */
const durationText = Type.Refine(
  Type.String({ accepts: 'a duration such as 100ms or 1s, at most 1m, or 0s' }),
  (text) => millisecondsOf(text) !== undefined,
);
const rateKeys = {
  interval: durationText,
  burst: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
};
const longestInterval = 60_000;
const unitMilliseconds: Readonly<Record<string, number>> = {
  us: 0.001,
  µs: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
};

const millisecondsOf = (text: string): number | undefined => {
  const [, number, unit = ''] = /^(\d{1,9}(?:\.\d{1,9})?)(us|µs|ms|s|m)$/.exec(text) ?? [];
  const milliseconds = Number(number) * (unitMilliseconds[unit] ?? Number.NaN);
  return milliseconds <= longestInterval ? milliseconds : undefined;
};

/** Each step doubles the time that one guess takes of this process: 14 are 0.9 s, and 30 guesses a minute are looked at. */
const highestCost = 14;
const bcryptHash = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;

/** HTTP/2 is not spoken; a file that asks for it is not passed over. */
const refuseHttp2 = (yaml: YamlFile, { name, node, origin }: YamlEntry): void => {
  const value = yaml.plain(node, origin);
  if (value !== false && value !== null)
    throw wrong(name, origin, 'expected false: mmaplockd speaks HTTP/1.1 alone');
};

const rateOf = (yaml: YamlFile, section: YamlEntry): WebRate | undefined => {
  const values = valuesOf(yaml, section, rateKeys);
  const intervalMilliseconds = millisecondsOf((values.get('interval')?.value ?? '0s') as string) ?? 0;
  if (intervalMilliseconds === 0) return undefined;
  const burst = values.get('burst')?.value as number | undefined;
  if (burst === undefined)
    throw wrong(
      `${section.name}.burst`,
      section.origin,
      'is missing: with an interval alone nobody would be served',
    );
  return { intervalMilliseconds, burst };
};

/** Messages do not repeat the value: it may be a password that somebody forgot to hash. */
const usersOf = (yaml: YamlFile, section: YamlEntry): ReadonlyMap<string, string> => {
  const users = new Map<string, string>();
  const { name: what, node, origin } = section;
  for (const entry of yaml.entriesOf(node, { what, field: what, origin })) {
    const field = `${what}.${entry.name}`;
    if (!/^[^:\p{Cc}]{1,128}$/u.test(entry.name))
      throw wrong(field, entry.origin, 'expected a name of 1 to 128 characters without a colon');
    const hash = yaml.plain(entry.node, entry.origin);
    const cost = bcryptHash.exec(typeof hash === 'string' ? hash : '')?.[1];
    if (cost === undefined)
      throw wrong(
        field,
        entry.origin,
        'expected a bcrypt hash, as `htpasswd -nBC 10 ""` prints it after the colon',
      );
    if (Number(cost) < 4 || Number(cost) > highestCost)
      throw wrong(
        field,
        entry.origin,
        `expected a bcrypt hash of a cost from 4 to ${highestCost}, got ${cost}`,
      );
    users.set(entry.name, hash as string);
  }
  return users;
};

/**
 * Reads the file, and none of those it names.
 * @throws MmaplockError `unreadable_config`, `unknown_config_key`, `invalid_config`, each with file and line
 */
export const readWebFile = (file: string): WebFile => {
  const yaml = openYamlFile(file, webFileField);
  const root = sectionOf(yaml, { name: '', node: yaml.contents, origin: yaml.origin }, fileKeys);
  const empty = (name: string): YamlEntry => ({ name, node: null, origin: yaml.origin });
  const section = (name: keyof typeof fileKeys): YamlEntry => root.get(name) ?? empty(name);
  const http = sectionOf(yaml, section('http_server_config'), httpKeys);
  const http2 = http.get('http2');
  if (http2 !== undefined) refuseHttp2(yaml, http2);
  const headers = valuesOf(yaml, http.get('headers') ?? empty('http_server_config.headers'), headerKeys);
  return {
    tls: webTlsOf(yaml, section('tls_server_config'), path.dirname(file)),
    headers: new Map(
      [...headers]
        .map(([name, { value }]): [string, string] => [name.toLowerCase(), value as string])
        .filter(([, text]) => text !== ''),
    ),
    users: usersOf(yaml, section('basic_auth_users')),
    rate: rateOf(yaml, section('rate_limit')),
  };
};
