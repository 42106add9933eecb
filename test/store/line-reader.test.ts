import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readLines } from '../../src/store/line-reader.js';

const root = mkdtempSync(join(tmpdir(), 'mmaplockd-reader-'));
after(() => rmSync(root, { recursive: true }));

const first = 'incidents-20250601T000000000Z.jsonl';
const second = 'incidents-20250602T000000000Z.jsonl';

let made = 0;
const directoryWith = (files: Readonly<Record<string, string | Buffer>>): string => {
  const directory = join(root, String(++made));
  mkdirSync(directory);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  return directory;
};

interface Numbered {
  readonly n: number;
}
const check = (object: object): Numbered | undefined =>
  'n' in object && typeof object.n === 'number' ? { n: object.n } : undefined;

const read = async (directory: string, limit = 100, bytes = 2 ** 20) => {
  const { values, ...rest } = await readLines({
    directory,
    limit,
    bytes,
    check,
    keyOf: ({ n }) => String(n),
  });
  return { numbers: values.map(({ n }) => n), ...rest };
};

const clean = { truncated: 0, unknownVersion: 0, malformed: 0, overlong: 0, unreadable: 0 };
const line = (n: number): string => `{"v":1,"n":${n}}\n`;

test('the newest come first, over all files, and no more than wanted', async () => {
  const directory = directoryWith({ [first]: line(1) + line(2), [second]: line(3) + line(4) });
  assert.deepEqual(await read(directory), { numbers: [4, 3, 2, 1], skipped: clean, firstBad: undefined });
  assert.deepEqual((await read(directory, 3)).numbers, [4, 3, 2]);
});

test('of lines with the same key the newest counts', async () => {
  const directory = directoryWith({ [first]: line(1) + line(2), [second]: line(1) });
  assert.deepEqual((await read(directory)).numbers, [1, 2]);
});

test('no directory is an empty one', async () => {
  assert.deepEqual((await read(join(root, 'nowhere'))).numbers, []);
});

test('a last line that is cut off is lost, it alone, and told', async () => {
  const directory = directoryWith({ [first]: `${line(1)}${line(2)}{"v":1,"n":3` });
  assert.deepEqual(await read(directory), {
    numbers: [2, 1],
    skipped: { ...clean, truncated: 1 },
    firstBad: `${first}:3`,
  });
});

test('a last line that lacks only its end is whole', async () => {
  const directory = directoryWith({ [first]: line(1) + line(2).trimEnd() });
  assert.deepEqual(await read(directory), { numbers: [2, 1], skipped: clean, firstBad: undefined });
});

test('lines of another format version are skipped and counted', async () => {
  const directory = directoryWith({ [first]: `${line(1)}{"v":2,"n":"of another kind"}\n${line(3)}` });
  const { numbers, skipped } = await read(directory);
  assert.deepEqual([numbers, skipped], [[3, 1], { ...clean, unknownVersion: 1 }]);
});

test('what is no line of ours is skipped, counted, and the place of one is told', async () => {
  const bad = ['not json', '[1]', 'null', '{"n":1}', '{"v":"1","n":1}', '{"v":1,"n":"one"}'];
  const directory = directoryWith({ [first]: `${line(1)}\n${bad.join('\n')}\n${line(2)}` });
  assert.deepEqual(await read(directory), {
    numbers: [2, 1],
    skipped: { ...clean, malformed: bad.length },
    firstBad: `${first}:8`,
  });
});

test('an overlong line is skipped', async () => {
  const long = JSON.stringify({ v: 1, n: 9, filler: 'x'.repeat(256 * 1024) });
  const directory = directoryWith({ [first]: `${line(1)}${long}\n${line(2)}` });
  const { numbers, skipped } = await read(directory);
  assert.deepEqual([numbers, skipped], [[2, 1], { ...clean, overlong: 1 }]);
});

test('bytes that are no text do no harm', async () => {
  const directory = directoryWith({
    [first]: Buffer.concat([Buffer.from([0xff, 0, 0x0a]), Buffer.from(line(1))]),
  });
  assert.deepEqual((await read(directory)).numbers, [1]);
});

test('of a file larger than the bound, the newest lines are read', async () => {
  const directory = directoryWith({ [first]: line(1) + line(2) });
  assert.deepEqual(await read(directory, 100, line(2).length + 3), {
    numbers: [2],
    skipped: clean,
    firstBad: undefined,
  });
});

for (const [what, filler] of [
  ['newlines', '\n'],
  ['lines of `{}`', '{}\n'],
] as const)
  test(`16 MiB of ${what} between incidents take little time and memory`, async () => {
    const size = 16 * 2 ** 20;
    const directory = directoryWith({
      [first]: line(1),
      [second]: line(2) + filler.repeat(size / filler.length) + line(3),
    });
    const before = process.memoryUsage().rss;
    const begun = process.cpuUsage();
    const { numbers, skipped } = await read(directory, 100, 2 * size);
    const { user, system } = process.cpuUsage(begun);
    assert.deepEqual(numbers, [3, 1], 'what follows them, and what is in other files');
    assert.ok(skipped.malformed > 0, 'and that not all was looked at');
    const mebibytes = (process.memoryUsage().rss - before) / 2 ** 20;
    assert.ok(mebibytes < 200, `${Math.round(mebibytes)} MiB`);
    assert.ok(user + system < 5e6, `${(user + system) / 1e6} s of CPU`);
  });

test('files of other names, links, pipes and directories are left alone', async () => {
  const directory = directoryWith({
    'notes.jsonl': line(1),
    'incidents-x.jsonl': line(2),
    [second]: line(3),
  });
  writeFileSync(join(root, 'target'), line(4));
  symlinkSync(join(root, 'target'), join(directory, first));
  mkdirSync(join(directory, 'incidents-20250603T000000000Z.jsonl'));
  execFileSync('mkfifo', [join(directory, 'incidents-20250604T000000000Z.jsonl')]);
  assert.deepEqual(await read(directory), { numbers: [3], skipped: clean, firstBad: undefined });
});
