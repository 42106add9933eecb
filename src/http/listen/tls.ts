/** Certificates and keys of the listeners, read and found to be of use before anybody is served with them. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { readRegularFile } from '../../config/regular-file.js';
import type { Pem, WebTls } from '../../config/web/tls.js';
import { errnoOf, MmaplockError, messageOf } from '../../errors.js';
import { printable } from '../../text/printable.js';

/** The files it names. */
export const tlsFiles = ({ cert, key, clientCa }: WebTls): readonly string[] =>
  [cert, key, clientCa].flatMap((pem) => (pem !== undefined && 'file' in pem ? [pem.file] : []));

const placeOf = (pem: Pem): string => ('file' in pem ? pem.file : 'the text itself');

const unusable = (pem: Pem, why: string, cause?: unknown): MmaplockError =>
  new MmaplockError(
    'tls_unusable',
    `tls_server_config.${pem.key}, ${printable(placeOf(pem))}: ${printable(why)}`,
    {
      field: `tls_server_config.${pem.key}`,
      cause,
    },
  );

/** Bytes: of all authorities that a distribution trusts it is a fifth. */
const longestPem = 2 ** 20;

const contentOf = (pem: Pem): Buffer => {
  if ('text' in pem) return Buffer.from(pem.text);
  try {
    return readRegularFile(pem.file, longestPem);
  } catch (error) {
    throw unusable(pem, `cannot be read: ${errnoOf(error) ?? messageOf(error)}`, error);
  }
};

/** Content that `understood` takes without throwing. */
const readPem = <Understood>(
  pem: Pem,
  understood: (content: Buffer) => Understood,
): { readonly content: Buffer; readonly value: Understood } => {
  const content = contentOf(pem);
  try {
    return { content, value: understood(content) };
  } catch (error) {
    throw unusable(pem, `cannot be understood: ${messageOf(error)}`, error);
  }
};

const asCertificate = (pem: Buffer): X509Certificate => new X509Certificate(pem);

/** Without these, TLS 1.3 would be off where suites of TLS 1.2 are chosen. Go has no choice among them either. */
const tls13Ciphers = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'];

/**
 * What a TLS server takes.
 * @throws MmaplockError `tls_unusable`, its field the key of the file at fault
 */
export const readTls = (tls: WebTls): SecureContextOptions => {
  const cert = readPem(tls.cert, asCertificate);
  const key = readPem(tls.key, (content) => createPrivateKey(content));
  if (!cert.value.checkPrivateKey(key.value))
    throw unusable(tls.key, `is not the key of ${placeOf(tls.cert)}`);
  const options: SecureContextOptions = {
    cert: cert.content,
    key: key.content,
    minVersion: tls.minVersion,
    maxVersion: tls.maxVersion,
    honorCipherOrder: tls.preferOwnCiphers,
    ...(tls.ciphers && { ciphers: [...tls13Ciphers, ...tls.ciphers].join(':') }),
    ...(tls.curves && { ecdhCurve: tls.curves.join(':') }),
    ...(tls.clientCa && { ca: readPem(tls.clientCa, asCertificate).content }),
  };
  try {
    // It refuses more than can be seen of each file, such as a key too small to be safe.
    createSecureContext(options);
  } catch (error) {
    throw unusable(tls.cert, messageOf(error), error);
  }
  return options;
};
