import { isIPv4, isIPv6 } from 'node:net';

/** Where to listen: a host name or address without brackets, and a TCP port (0 lets the kernel choose). */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

const label = '[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?';
const hostName = new RegExp(`^${label}(\\.${label})*\\.?$`, 'i');
/** Digits and dots alone are a mistyped IPv4 address, never a host name. */
const numeric = /^[\d.]+$/;

/** Whether `text` is a host as it stands in a URL: a name, an IPv4 address, or an IPv6 address in brackets. */
export const isHost = (text: string): boolean => {
  if (text.startsWith('[')) return text.endsWith(']') && isIPv6(text.slice(1, -1));
  if (numeric.test(text)) return isIPv4(text);
  return text.length <= 253 && hostName.test(text);
};

/** Reads `host:port`, IPv6 in brackets; undefined when it is not one. */
export const parseListenAddress = (text: string): ListenAddress | undefined => {
  const match = /^(.+):(\d{1,5})$/s.exec(text);
  const host = match?.[1] ?? '';
  const port = Number(match?.[2]);
  if (!isHost(host) || !(port <= 65_535)) return undefined;
  return { host: host.startsWith('[') ? host.slice(1, -1) : host, port };
};
