/** Certificates and keys of the listeners, read and found to be of use before anybody is served with them. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { WebTls } from '../config/web-file.js';
import { errnoOf, MmaplockError, messageOf } from '../errors.js';
import { printable } from '../printable.js';

/** The files it names. */
export const tlsFiles = ({ certFile, keyFile, clientCaFile }: WebTls): readonly string[] => [
  certFile,
  keyFile,
  ...(clientCaFile === undefined ? [] : [clientCaFile]),
];

const unusable = (key: string, file: string, why: string, cause?: unknown): MmaplockError =>
  new MmaplockError('tls_unusable', `tls_server_config.${key}, ${printable(file)}: ${printable(why)}`, {
    field: `tls_server_config.${key}`,
    cause,
  });

/** The content of a file that `understood` takes without throwing. */
const readPem = <Understood>(
  key: string,
  file: string,
  understood: (pem: Buffer) => Understood,
): { readonly pem: Buffer; readonly value: Understood } => {
  let pem: Buffer;
  try {
    pem = readFileSync(file);
  } catch (error) {
    throw unusable(key, file, `cannot be read: ${errnoOf(error) ?? messageOf(error)}`, error);
  }
  try {
    return { pem, value: understood(pem) };
  } catch (error) {
    throw unusable(key, file, `cannot be understood: ${messageOf(error)}`, error);
  }
};

const asCertificate = (pem: Buffer): X509Certificate => new X509Certificate(pem);

/**
 * What a TLS server takes.
 * @throws MmaplockError `tls_unusable`, its field the key of the file at fault
 */
export const readTls = ({ certFile, keyFile, clientCaFile, minVersion }: WebTls): SecureContextOptions => {
  const cert = readPem('cert_file', certFile, asCertificate);
  const key = readPem('key_file', keyFile, (pem) => createPrivateKey(pem));
  if (!cert.value.checkPrivateKey(key.value))
    throw unusable('key_file', keyFile, `is not the key of ${certFile}`);
  const options: SecureContextOptions = { cert: cert.pem, key: key.pem, minVersion };
  if (clientCaFile !== undefined) options.ca = readPem('client_ca_file', clientCaFile, asCertificate).pem;
  try {
    // It refuses more than can be seen of each file, such as a key too small to be safe.
    createSecureContext(options);
  } catch (error) {
    throw unusable('cert_file', certFile, messageOf(error), error);
  }
  return options;
};
