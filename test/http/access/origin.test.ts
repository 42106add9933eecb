import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MmaplockError } from '../../../src/errors.js';
import { refuseCrossOrigin } from '../../../src/http/access/origin.js';

for (const [origin, host] of [
  [undefined, 'localhost:10465'],
  ['http://localhost:10465', 'localhost:10465'],
  ['http://localhost:10465', 'LocalHost:10465'],
  ['http://127.0.0.1:10465', '127.0.0.1:10465'],
  ['http://[::1]:10465', '[::1]:10465'],
  // behind a proxy that ends TLS and keeps the name
  ['https://db1.internal', 'db1.internal'],
] as const)
  test(`Origin ${origin} may ask ${host}`, () => {
    refuseCrossOrigin({ origin, host });
  });

for (const [origin, host] of [
  ['https://evil.example', 'localhost:10465'],
  ['https://evil.example', 'evil.example.localhost'],
  // another program of this host
  ['http://localhost:3000', 'localhost:10465'],
  ['http://localhost', 'localhost:10465'],
  ['http://127.0.0.1:10465', 'localhost:10465'],
  ['http://localhost:10465.evil.example', 'localhost:10465'],
  ['http://localhost:10465@evil.example', 'localhost:10465'],
  // a page without an origin, such as one in a sandbox, or a file
  ['null', 'localhost:10465'],
  ['file://', 'localhost:10465'],
  ['', 'localhost:10465'],
  ['null', undefined],
] as const)
  test(`Origin "${origin}" may not ask ${host}`, () => {
    assert.throws(
      () => refuseCrossOrigin({ origin, host }),
      (error) =>
        error instanceof MmaplockError && error.code === 'origin_not_allowed' && error.field === 'Origin',
    );
  });
