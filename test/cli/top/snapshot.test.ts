import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takeSnapshot } from '../../../src/cli/top/snapshot.js';
import type { Source } from '../../../src/cli/top/source.js';

const stampOf = (tick: number): string => new Date(tick * 1000).toISOString();

/** A daemon whose next tick comes after the first answer of each of these rounds of questions. */
const ticking = (rounds: readonly number[]): Source & { asked: number } => {
  const perRound = 6;
  let tick = 1;
  const source = {
    name: 'a daemon',
    asked: 0,
    get: async <Body>(path: string): Promise<Body> => {
      const round = Math.floor(source.asked / perRound);
      if (source.asked % perRound === 1 && rounds.includes(round)) tick += 1;
      source.asked += 1;
      const as_of = stampOf(tick);
      const data = [{ reads_total: tick }];
      const body = path.startsWith('/-/ready')
        ? { ready: true, problems: [] }
        : { as_of, sentence: `after tick ${tick}`, columns: [], data, ongoing: [] };
      return body as Body;
    },
  };
  return source;
};

test('all of a snapshot is of one tick, also where the next one comes while it is taken', async () => {
  const source = ticking([0]);
  const { at, sentence, readers } = await takeSnapshot(source);
  assert.equal(sentence, 'after tick 2');
  assert.equal(at, 2000);
  assert.equal(readers[0]?.reads_total, 2);
});

test('a daemon that always ticks meanwhile is not asked for ever', async () => {
  const source = ticking(Array.from({ length: 100 }, (_, round) => round));
  const { sentence } = await takeSnapshot(source);
  assert.match(sentence, /^after tick/);
  assert.equal(source.asked, 18);
});
