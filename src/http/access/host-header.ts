/**
 * Whether a request was meant for this daemon. A page that rebinds its name to this address (DNS rebinding) has a browser
 * send that name as Host, so names must be known. An address cannot be rebound.
 */
import { isIP } from 'node:net';

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127\./.test(host);

/** A host as it is compared: without the brackets of an IPv6 address, in lower case. */
const plainHost = (host: string): string => host.replace(/^\[|\]$/g, '').toLowerCase();

/** A name or address, IPv6 in brackets, and perhaps a port. */
const hostHeader = /^(\[[^\]]*\]|[^:]*)(?::\d+)?$/;

/**
 * Tells of a Host header whether it names the listener on `host`. Addresses of the network are taken where that is not
 * loopback: which one is asked for, a pod's say, need not be known to who configures.
 */
export const createHostCheck = (
  host: string,
  allowedHosts: readonly string[],
): ((header: string | undefined) => boolean) => {
  const allowed = new Set([host, 'localhost', ...allowedHosts].map(plainHost));
  const anyAddress = !isLoopback(plainHost(host));
  return (header = '') => {
    const name = plainHost(hostHeader.exec(header)?.[1] ?? '');
    return allowed.has(name) || (isIP(name) !== 0 && (anyAddress || isLoopback(name)));
  };
};
