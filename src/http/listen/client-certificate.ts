/** Whether the certificate that a client showed lets it in: what is told here once the handshake is over. */
import type { X509Certificate } from 'node:crypto';
import { isIPv6, SocketAddress } from 'node:net';
import type { WebTls } from '../../config/web/tls.js';

export interface ShownCertificate {
  /** Undefined: the client showed none. */
  readonly certificate: X509Certificate | undefined;
  /** An authority of client_ca signed it. */
  readonly authorized: boolean;
}

const kinds: Readonly<Record<string, 'address' | 'text'>> = {
  DNS: 'text',
  email: 'text',
  URI: 'text',
  'IP Address': 'address',
};

/** One notation of each address: `fd00::1`, also for FD00:0:0:0:0:0:0:1. */
const canonical = (address: string): string =>
  isIPv6(address) ? new SocketAddress({ address, family: 'ipv6' }).address : address;

/** The names and addresses of a certificate: DNS, e-mail, URI, IP. Node quotes, as JSON, those that hold special characters. */
export const sansOf = (certificate: Pick<X509Certificate, 'subjectAltName'>): string[] =>
  Array.from(
    (certificate.subjectAltName ?? '').matchAll(/([^:,]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g),
    ([, kind = '', text = '']) => {
      const value = text.startsWith('"') ? String(JSON.parse(text)) : text;
      if (kinds[kind] === undefined) return [];
      return [kinds[kind] === 'address' ? canonical(value) : value];
    },
  ).flat();

/** What client_auth_type and client_allowed_sans say of a client. */
export const letsIn = (
  { clientAuth, allowedSans }: Pick<WebTls, 'clientAuth' | 'allowedSans'>,
  { certificate, authorized }: ShownCertificate,
): boolean => {
  if (certificate === undefined) return !/^Require/.test(clientAuth);
  if (/Verify/.test(clientAuth) && !authorized) return false;
  if (allowedSans === undefined) return true;
  const allowed = new Set(allowedSans.map(canonical));
  return sansOf(certificate).some((name) => allowed.has(name));
};
