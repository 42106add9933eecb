import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BasicGuard } from '../../../src/http/access/basic-auth.js';
import { authorization, basic, hash } from '../../support/web.js';

/** A guard on a clock moved by hand, with the users and the comparisons it made. */
const guarded = (users = new Map([['prometheus', hash]])) => {
  const world = { now: 0, users, compared: [] as string[] };
  const guard = new BasicGuard({
    users: () => world.users,
    now: () => world.now,
    compare: async (password, against) => {
      world.compared.push(password);
      return against === hash && password === 'correct horse';
    },
  });
  const outcome = async (header: string | undefined, address = '192.0.2.1'): Promise<string> =>
    (await guard.refusal(header, address))?.error.code ?? 'let in';
  return { world, guard, outcome };
};

test('the password behind a hash is let in, by bcrypt itself', async () => {
  const guard = new BasicGuard({ users: () => new Map([['prometheus', hash]]), now: () => 0 });
  assert.equal(await guard.refusal(authorization, ''), undefined);
  assert.equal((await guard.refusal(basic('prometheus', 'wrong'), ''))?.error.code, 'unauthorized');
});

test('without users everybody is let in', async () => {
  const { outcome } = guarded(new Map());
  assert.equal(await outcome(undefined), 'let in');
  assert.equal(await outcome(basic('a', 'b')), 'let in');
});

for (const header of [authorization, authorization.replace('Basic', 'bAsIc  ')])
  test(`"${header}" is let in`, async () => {
    assert.equal(await guarded().outcome(header), 'let in');
  });

for (const header of [
  undefined,
  '',
  'Basic',
  'Basic ',
  'Basic !!!',
  `Basic ${Buffer.from('prometheus').toString('base64')}`,
  authorization.replace('Basic', 'Bearer'),
  authorization.replace('Basic ', ''),
])
  test(`"${header}" holds no credentials: told how to ask, and no guess`, async () => {
    const { guard, world } = guarded();
    for (let index = 0; index < 40; index += 1) {
      const refusal = await guard.refusal(header, '192.0.2.1');
      assert.equal(refusal?.error.code, 'unauthorized');
      assert.match(refusal.headers['www-authenticate']!, /^Basic realm="mmaplockd"/);
    }
    assert.deepEqual(world.compared, []);
  });

for (const [name, password] of [
  ['prometheus', ''],
  ['prometheus', 'correct horse '],
  ['prometheus', 'Correct horse'],
  ['Prometheus', 'correct horse'],
  ['', 'correct horse'],
  ['__proto__', 'correct horse'],
] as const)
  test(`${name}:${password} is not let in, in the time of one comparison`, async () => {
    const { guard, world } = guarded();
    const refusal = await guard.refusal(basic(name, password), '192.0.2.1');
    assert.equal(refusal?.error.code, 'unauthorized');
    assert.equal(refusal.error.field, 'Authorization');
    assert.match(refusal.error.fix, /basic_auth_users/);
    assert.deepEqual(world.compared, [password]);
  });

test('a password may hold colons and any letters', async () => {
  const { world, outcome } = guarded();
  await outcome(basic('prometheus', 'a:b:ä'));
  assert.deepEqual(world.compared, ['a:b:ä']);
});

test('what was right once costs no second comparison, many at once cost one', async () => {
  const { world, outcome } = guarded();
  const outcomes = await Promise.all(Array.from({ length: 50 }, () => outcome(authorization)));
  assert.deepEqual([...new Set(outcomes)], ['let in']);
  assert.equal(await outcome(authorization, '198.51.100.1'), 'let in');
  assert.equal(world.compared.length, 1);
});

test('a password that was changed, or a user removed, ends it at once', async () => {
  const { world, outcome } = guarded();
  assert.equal(await outcome(authorization), 'let in');
  world.users = new Map([['prometheus', hash.replace(/.$/, 'f')]]);
  assert.equal(await outcome(authorization), 'unauthorized');
  world.users = new Map([['other', hash]]);
  assert.equal(await outcome(authorization), 'unauthorized');
  world.users = new Map([['prometheus', hash]]);
  assert.equal(await outcome(authorization), 'let in');
});

test('ten wrong passwords within a minute are enough for one address; another, and who is in, goes on', async () => {
  const { world, guard, outcome } = guarded();
  assert.equal(await outcome(authorization, '192.0.2.7'), 'let in');
  const guesses = await Promise.all(
    Array.from({ length: 40 }, (_, guess) => outcome(basic('prometheus', `${guess}`), '192.0.2.7')),
  );
  assert.equal(guesses.filter((code) => code === 'unauthorized').length, 10);
  assert.equal(guesses.filter((code) => code === 'too_many_failures').length, 30);
  world.now = 15_000;
  const refusal = await guard.refusal(basic('prometheus', 'x'), '::ffff:192.0.2.7');
  assert.deepEqual(refusal?.headers, { 'retry-after': '45' });
  assert.equal(await outcome(authorization, '192.0.2.7'), 'let in', 'it is known already');
  assert.equal(await outcome(basic('prometheus', 'x'), '192.0.2.8'), 'unauthorized');
  world.now = 60_000;
  assert.equal(await outcome(basic('prometheus', 'x'), '192.0.2.7'), 'unauthorized');
});

test('the addresses of one IPv6 network count together', async () => {
  const { outcome } = guarded();
  for (const address of ['2001:db8::1', '2001:db8:0:0:1::', '2001:db8::2:0:0:1', '2001:db8:0:0:ffff:1:2:3'])
    for (let guess = 0; guess < 3; guess += 1) await outcome(basic('prometheus', address + guess), address);
  assert.equal(await outcome(basic('prometheus', 'x'), '2001:db8::9'), 'too_many_failures');
  assert.equal(await outcome(basic('prometheus', 'x'), '2001:db8:0:1::9'), 'unauthorized');
});

test('guesses from everywhere are looked at thirty times a minute', async () => {
  const { world, outcome } = guarded();
  for (let guess = 0; guess < 100; guess += 1) await outcome(basic('a', `${guess}`), `192.0.2.${guess}`);
  assert.equal(world.compared.length, 30);
});
