/** Headers that every answer has: what a browser must not do with it. */
import { createHash } from 'node:crypto';
import { pageStyle } from './index-page.js';

const styleHash = createHash('sha256').update(pageStyle).digest('base64');

/** In lower case. Those of http_server_config.headers come in their place. */
export const securityHeaders: ReadonlyMap<string, string> = new Map([
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'deny'],
  [
    'content-security-policy',
    `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  ],
  ['referrer-policy', 'no-referrer'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['cross-origin-opener-policy', 'same-origin'],
]);
