/**
 * The file of `--web.config.file`: TLS, passwords and headers of all TCP listeners, in the format that exporters of
 * Prometheus share (exporter-toolkit, docs/web-configuration.md). What of it is not served is refused, not passed over.
 */
import path from 'node:path';
import { Type } from 'typebox';
import { MmaplockError } from '../errors.js';
import { printable, quoted } from '../printable.js';
import { problemWith, type ValueSchema } from './settings.js';
import { suggest } from './suggest.js';
import { version } from './version.js';
import { openYamlFile, type YamlEntry, type YamlFile } from './yaml-file.js';

export interface WebTls {
  readonly certFile: string;
  readonly keyFile: string;
  /** Of the authority whose certificate every client must show; undefined: clients show none. */
  readonly clientCaFile: string | undefined;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
}

/** What the file says; paths are absolute, or relative to the directory of this process. */
export interface WebFile {
  readonly tls: WebTls | undefined;
  /** Headers of every answer, in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** The bcrypt hash of each user's password. */
  readonly users: ReadonlyMap<string, string>;
}

/** The setting that names the file. */
export const webFileField = 'web.config_file';

const pathText = Type.Refine(
  Type.String({ accepts: 'a path without control characters', minLength: 1 }),
  (text) => !/\p{Cc}/u.test(text),
);
const headerText = Type.String({ accepts: 'visible ASCII characters', pattern: '^[\\x20-\\x7e]*$' });

const tlsKeys = {
  cert_file: pathText,
  key_file: pathText,
  client_auth_type: Type.Enum(['NoClientCert', 'RequireAndVerifyClientCert']),
  client_ca_file: pathText,
  min_version: Type.Enum(['TLS12', 'TLS13']),
};
const headerKeys = {
  'Content-Security-Policy': headerText,
  'Strict-Transport-Security': headerText,
  'X-Content-Type-Options': Type.Enum(['', 'nosniff']),
  'X-Frame-Options': Type.Enum(['', 'deny', 'sameorigin']),
  'X-XSS-Protection': headerText,
};
const httpKeys = { headers: undefined };
const fileKeys = { tls_server_config: undefined, http_server_config: undefined, basic_auth_users: undefined };

/** Each step doubles the time that one guess takes of this process: 14 are 0.9 s, and 30 guesses a minute are looked at. */
const highestCost = 14;
const bcryptHash = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;

type Keys = Readonly<Record<string, ValueSchema | undefined>>;

const wrong = (field: string, origin: string, problem: string): MmaplockError =>
  new MmaplockError('invalid_config', `${printable(field)} (${origin}): ${problem}`, {
    field: printable(field.slice(0, 120)),
  });

/** The entries of a section by their names, all of them known. */
const sectionOf = (
  yaml: YamlFile,
  { name, node, origin }: YamlEntry,
  keys: Keys,
): ReadonlyMap<string, YamlEntry> => {
  const entries = yaml.entriesOf(node, {
    what: name === '' ? 'the file' : name,
    field: name === '' ? webFileField : name,
    origin,
  });
  const prefix = name === '' ? '' : `${name}.`;
  for (const entry of entries) {
    if (Object.hasOwn(keys, entry.name)) continue;
    const nearest = suggest(entry.name, Object.keys(keys));
    const hint =
      nearest === undefined
        ? `known are ${Object.keys(keys).join(', ')}`
        : `the nearest is ${prefix}${nearest}`;
    throw new MmaplockError(
      'unknown_config_key',
      `mmaplockd ${version} knows no key ${quoted(prefix + entry.name)} (${entry.origin}); ${hint}`,
      { field: printable((prefix + entry.name).slice(0, 120)) },
    );
  }
  return new Map(entries.map((entry) => [entry.name, { ...entry, name: prefix + entry.name }]));
};

/** The texts of a section, all of them accepted. */
const textsOf = (yaml: YamlFile, section: YamlEntry, keys: Keys): ReadonlyMap<string, string> => {
  const texts = new Map<string, string>();
  for (const [name, entry] of sectionOf(yaml, section, keys)) {
    const value = yaml.plain(entry.node, entry.origin);
    const problem = problemWith(keys[name] as ValueSchema, value);
    if (problem !== undefined) throw wrong(entry.name, entry.origin, problem);
    texts.set(name, value as string);
  }
  return texts;
};

const tlsOf = (yaml: YamlFile, section: YamlEntry, directory: string): WebTls | undefined => {
  const texts = textsOf(yaml, section, tlsKeys);
  if (texts.size === 0) return undefined;
  const file = (name: 'cert_file' | 'key_file' | 'client_ca_file', why: string): string => {
    const text = texts.get(name);
    if (text === undefined) throw wrong(`${section.name}.${name}`, section.origin, `is missing: ${why}`);
    return path.resolve(directory, text);
  };
  const asksClients = texts.get('client_auth_type') === 'RequireAndVerifyClientCert';
  if (texts.has('client_ca_file') && !asksClients)
    throw wrong(
      `${section.name}.client_auth_type`,
      section.origin,
      'client_ca_file without it asks nobody for a certificate; expected RequireAndVerifyClientCert',
    );
  return {
    certFile: file('cert_file', 'TLS needs a certificate'),
    keyFile: file('key_file', 'TLS needs the private key of the certificate'),
    clientCaFile: asksClients
      ? file('client_ca_file', 'client_auth_type needs the certificate of an authority')
      : undefined,
    minVersion: texts.get('min_version') === 'TLS13' ? 'TLSv1.3' : 'TLSv1.2',
  };
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
  const headers = textsOf(yaml, http.get('headers') ?? empty('http_server_config.headers'), headerKeys);
  return {
    tls: tlsOf(yaml, section('tls_server_config'), path.dirname(file)),
    headers: new Map(
      [...headers].filter(([, text]) => text !== '').map(([name, text]) => [name.toLowerCase(), text]),
    ),
    users: usersOf(yaml, section('basic_auth_users')),
  };
};
