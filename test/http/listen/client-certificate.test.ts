import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type ClientAuth, clientAuthTypes } from '../../../src/config/web/tls.js';
import { letsIn, sansOf } from '../../../src/http/listen/client-certificate.js';
import { fixture } from '../../support/web.js';

const certificate = new X509Certificate(readFileSync(fixture('client.pem')));
const named = (subjectAltName: string | undefined) => sansOf({ subjectAltName });

test('the names of a certificate', () => {
  assert.deepEqual(sansOf(certificate), ['localhost', '127.0.0.1']);
  assert.deepEqual(named(undefined), []);
  assert.deepEqual(named('DNS:a.internal, email:ops@a.internal, URI:spiffe://a/b, IP Address:10.0.0.1'), [
    'a.internal',
    'ops@a.internal',
    'spiffe://a/b',
    '10.0.0.1',
  ]);
});

test('an address of IPv6 is itself in every notation', () => {
  assert.deepEqual(named('IP Address:FD00:0:0:0:0:0:0:1'), ['fd00::1']);
});

test('a name that looks like two is one (CVE-2021-44532)', () => {
  assert.deepEqual(named('URI:"http://a/, DNS:b.internal"'), ['http://a/, DNS:b.internal']);
  assert.deepEqual(named('DNS:"a\\"b", DNS:c'), ['a"b', 'c']);
});

test('what is no name of Go is none: a directory name, an identifier', () => {
  assert.deepEqual(named('DirName:CN = a, othername:<unsupported>, Registered ID:1.2.3'), []);
});

/** Who is let in: nobody shown, shown and not known, shown and known. */
const expected: Readonly<Record<ClientAuth, readonly [boolean, boolean, boolean]>> = {
  NoClientCert: [true, true, true],
  RequestClientCert: [true, true, true],
  RequireAnyClientCert: [false, true, true],
  VerifyClientCertIfGiven: [true, false, true],
  RequireAndVerifyClientCert: [false, false, true],
};
for (const clientAuth of clientAuthTypes)
  test(`${clientAuth}: who is let in`, () => {
    const policy = { clientAuth, allowedSans: undefined };
    assert.deepEqual(
      [
        letsIn(policy, { certificate: undefined, authorized: false }),
        letsIn(policy, { certificate, authorized: false }),
        letsIn(policy, { certificate, authorized: true }),
      ],
      expected[clientAuth],
    );
  });

for (const [allowedSans, isIn] of [
  [['localhost'], true],
  [['elsewhere', '127.0.0.1'], true],
  [['LOCALHOST'], false],
  [['local'], false],
  [['*'], false],
] as const)
  test(`names allowed: ${allowedSans}`, () => {
    const policy = { clientAuth: 'RequireAndVerifyClientCert', allowedSans } as const;
    assert.equal(letsIn(policy, { certificate, authorized: true }), isIn);
    assert.equal(letsIn(policy, { certificate, authorized: false }), false);
  });
