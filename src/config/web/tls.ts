/** `tls_server_config` of the file of `--web.config.file`: the keys and names that Go's crypto/tls gives to things. */
import path from 'node:path';
import { Type } from 'typebox';
import type { YamlEntry, YamlFile } from '../yaml-file.js';
import { valuesOf, type WebValue, wrong } from './section.js';

/** Where a certificate or key stands, with the key of the file that says so. */
export type Pem =
  | { readonly key: string; readonly file: string }
  | { readonly key: string; readonly text: string };

/** The ways to ask clients for a certificate. Only the last lets nobody in whom the authority does not know. */
export const clientAuthTypes = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const;
export type ClientAuth = (typeof clientAuthTypes)[number];

type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

export interface WebTls {
  readonly cert: Pem;
  readonly key: Pem;
  readonly clientAuth: ClientAuth;
  /** The authorities that certificates of clients are held against. */
  readonly clientCa: Pem | undefined;
  /** Of these alternative names a certificate of a client must have one; undefined: it need not. */
  readonly allowedSans: readonly string[] | undefined;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** Names of OpenSSL, for TLS 1.2; undefined: those of Node. */
  readonly ciphers: readonly string[] | undefined;
  /** Names of OpenSSL; undefined: those of Node. */
  readonly curves: readonly string[] | undefined;
  readonly preferOwnCiphers: boolean;
}

const versions: Readonly<Record<string, TlsVersion>> = { TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' };

/** What crypto/tls calls secure (CipherSuites()), with the names of OpenSSL; those of TLS 1.3 cannot be chosen there. */
const cipherNames: Readonly<Record<string, string | undefined>> = {
  TLS_AES_128_GCM_SHA256: undefined,
  TLS_AES_256_GCM_SHA384: undefined,
  TLS_CHACHA20_POLY1305_SHA256: undefined,
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
};

const curveNames: Readonly<Record<string, string>> = {
  CurveP256: 'P-256',
  CurveP384: 'P-384',
  CurveP521: 'P-521',
  X25519: 'X25519',
};

const pathText = Type.Refine(
  Type.String({ accepts: 'a path without control characters', minLength: 1 }),
  (text) => !/\p{Cc}/u.test(text),
);
/** No message repeats it: it may be a private key. */
const pemText = Type.String({ accepts: 'text in PEM', minLength: 1, secret: true });

const keys = {
  cert: pemText,
  key: pemText,
  client_ca: pemText,
  cert_file: pathText,
  key_file: pathText,
  client_ca_file: pathText,
  // RequireClientCert is what RequireAnyClientCert was called once.
  client_auth_type: Type.Enum([...clientAuthTypes, 'RequireClientCert']),
  client_allowed_sans: Type.Array(Type.String({ accepts: 'a name', minLength: 1 }), { minItems: 1 }),
  min_version: Type.Enum(Object.keys(versions)),
  max_version: Type.Enum(Object.keys(versions)),
  cipher_suites: Type.Array(Type.Enum(Object.keys(cipherNames))),
  curve_preferences: Type.Array(Type.Enum(Object.keys(curveNames))),
  prefer_server_cipher_suites: Type.Boolean(),
};

/** Whether nobody is let in whose certificate was not held against the authority. */
export const knowsClients = (clientAuth: ClientAuth | undefined): boolean =>
  clientAuth === 'RequireAndVerifyClientCert';

/**
 * What the section says, without reading the files it names; undefined where it is empty.
 * @param directory what paths are relative to
 * @throws MmaplockError `unknown_config_key`, `invalid_config`
 */
export const webTlsOf = (yaml: YamlFile, section: YamlEntry, directory: string): WebTls | undefined => {
  const values = valuesOf(yaml, section, keys);
  if (values.size === 0) return undefined;
  const told = { section: section.name, origin: section.origin, values, directory };
  const given = (name: keyof typeof keys) => values.get(name)?.value;
  const named = given('client_auth_type') ?? 'NoClientCert';
  const clientAuth = (named === 'RequireClientCert' ? 'RequireAnyClientCert' : named) as ClientAuth;
  const minVersion = versions[String(given('min_version') ?? 'TLS12')] as TlsVersion;
  const maxVersion = versions[String(given('max_version') ?? 'TLS13')] as TlsVersion;
  if (minVersion > maxVersion)
    throw wrong(`${section.name}.max_version`, section.origin, 'is less than min_version');
  const ciphers = given('cipher_suites') as readonly string[] | undefined;
  const curves = given('curve_preferences') as readonly string[] | undefined;
  return {
    cert: required(told, 'cert', 'TLS needs a certificate'),
    key: required(told, 'key', 'TLS needs the private key of the certificate'),
    clientAuth,
    clientCa: clientCaOf(told, clientAuth),
    allowedSans: allowedSansOf(told, clientAuth),
    minVersion,
    maxVersion,
    ciphers: ciphers?.length ? ciphers.flatMap((name) => cipherNames[name] ?? []) : undefined,
    curves: curves?.length ? curves.map((name) => curveNames[name] as string) : undefined,
    preferOwnCiphers: (given('prefer_server_cipher_suites') ?? true) as boolean,
  };
};

/** What the section holds, as what follows needs it. */
interface Told {
  readonly section: string;
  readonly origin: string;
  readonly values: ReadonlyMap<string, WebValue>;
  readonly directory: string;
}

const pemOf = ({ section, values, directory }: Told, name: 'cert' | 'key' | 'client_ca'): Pem | undefined => {
  const [text, file] = [values.get(name), values.get(`${name}_file`)];
  if (text !== undefined && file !== undefined)
    throw wrong(`${section}.${name}`, text.origin, `stands beside ${name}_file: one of them is to go`);
  if (text !== undefined) return { key: name, text: text.value as string };
  if (file === undefined) return undefined;
  return { key: `${name}_file`, file: path.resolve(directory, file.value as string) };
};

const required = (told: Told, name: 'cert' | 'key' | 'client_ca', why: string): Pem => {
  const pem = pemOf(told, name);
  if (pem !== undefined) return pem;
  throw wrong(`${told.section}.${name}_file`, told.origin, `is missing: ${why}`);
};

/** Go would hold certificates against the authorities of the system where none is named: anybody can have one of those. */
const clientCaOf = (told: Told, clientAuth: ClientAuth): Pem | undefined => {
  if (/Verify/.test(clientAuth))
    return required(told, 'client_ca', 'client_auth_type needs the certificate of an authority');
  const pem = pemOf(told, 'client_ca');
  if (pem !== undefined && clientAuth === 'NoClientCert')
    throw wrong(
      `${told.section}.client_auth_type`,
      told.origin,
      `${pem.key} without it asks nobody for a certificate; expected RequireAndVerifyClientCert`,
    );
  return pem;
};

const allowedSansOf = ({ section, values }: Told, clientAuth: ClientAuth): readonly string[] | undefined => {
  const sans = values.get('client_allowed_sans');
  if (sans !== undefined && !/^Require/.test(clientAuth))
    throw wrong(
      `${section}.client_allowed_sans`,
      sans.origin,
      'needs client_auth_type RequireAndVerifyClientCert or RequireAnyClientCert, or a client need not show a certificate',
    );
  return sans?.value as readonly string[] | undefined;
};
