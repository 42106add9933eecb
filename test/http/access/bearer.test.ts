import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MmaplockError } from '../../../src/errors.js';
import { BearerGuard } from '../../../src/http/access/bearer.js';

const token = '0123456789abcdef';

/** A guard on a clock moved by hand; the token can be changed under it. */
const guarded = () => {
  const world = { now: 1000, token };
  const guard = new BearerGuard({ readToken: async () => world.token, now: () => world.now });
  const outcome = async (authorization: string | undefined): Promise<string> =>
    (await guard.refusal(authorization))?.error.code ?? 'let in';
  return { world, guard, outcome };
};

for (const authorization of [`Bearer ${token}`, `bearer ${token}`, `BEARER   ${token}`])
  test(`"${authorization}" is let in`, async () => {
    assert.equal(await guarded().outcome(authorization), 'let in');
  });

for (const authorization of [
  undefined,
  '',
  token,
  'Bearer',
  'Bearer ',
  `Bearer${token}`,
  `Basic ${token}`,
  `Bearer ${token}x`,
  `Bearer x${token}`,
  `Bearer ${token.slice(1)}`,
  `Bearer ${token.toUpperCase()}`,
  `Bearer ${token} ${token}`,
  `Bearer ${token}, Bearer ${token}`,
  `Bearer ä${token}`,
])
  test(`"${authorization}" is not let in, and told how to ask`, async () => {
    const refusal = await guarded().guard.refusal(authorization);
    assert.equal(refusal?.error.code, 'unauthorized');
    assert.equal(refusal?.error.field, 'Authorization');
    assert.deepEqual(refusal?.headers, { 'www-authenticate': 'Bearer' });
    assert.ok(!refusal?.error.message.includes(token));
  });

test('a token that was changed counts at once', async () => {
  const { world, outcome } = guarded();
  world.token = 'fedcba9876543210';
  assert.equal(await outcome(`Bearer ${token}`), 'unauthorized');
  assert.equal(await outcome('Bearer fedcba9876543210'), 'let in');
});

test('after ten failures nobody is let in until the first is a minute old, whatever the token', async () => {
  const { world, guard, outcome } = guarded();
  for (let second = 0; second < 10; second += 1) {
    world.now = 1000 + second * 1000;
    assert.equal(await outcome('Bearer wrong'), 'unauthorized', `failure ${second + 1}`);
  }
  world.now = 30_500;
  for (const authorization of ['Bearer wrong', undefined, `Bearer ${token}`]) {
    const refusal = await guard.refusal(authorization);
    assert.equal(refusal?.error.code, 'too_many_failures');
    assert.deepEqual(refusal?.headers, { 'retry-after': '31' });
  }
  world.now = 60_999;
  assert.equal(await outcome(`Bearer ${token}`), 'too_many_failures');
  world.now = 61_000;
  assert.equal(await outcome(`Bearer ${token}`), 'let in');
  assert.equal(await outcome('Bearer wrong'), 'unauthorized', 'one place is free');
  assert.equal(await outcome('Bearer wrong'), 'too_many_failures');
});

test('of many guesses at once no more than ten are looked at', async () => {
  const { outcome } = guarded();
  const outcomes = await Promise.all(Array.from({ length: 100 }, (_, guess) => outcome(`Bearer ${guess}`)));
  assert.equal(outcomes.filter((code) => code === 'unauthorized').length, 10);
  assert.equal(outcomes.filter((code) => code === 'too_many_failures').length, 90);
});

test('those who have the token can ask as often as they like', async () => {
  const { outcome } = guarded();
  for (let index = 0; index < 100; index += 1) assert.equal(await outcome(`Bearer ${token}`), 'let in');
});

test('where there is no token it says so, and holds it against nobody', async () => {
  let broken = true;
  const guard = new BearerGuard({
    readToken: async () => {
      if (broken) throw new MmaplockError('token_unreadable', 'no token');
      return token;
    },
    now: () => 0,
  });
  for (let index = 0; index < 20; index += 1)
    await assert.rejects(guard.refusal(`Bearer ${token}`), { code: 'token_unreadable' });
  broken = false;
  assert.equal(await guard.refusal(`Bearer ${token}`), undefined);
});
