import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { LineWriter } from '../../src/store/line-writer.js';

const root = mkdtempSync(join(tmpdir(), 'mmaplockd-writer-'));
after(() => rmSync(root, { recursive: true }));

const mebibyte = 2 ** 20;
let made = 0;

/** A writer in a directory that does not exist yet, and what it said. */
const writerIn = (directory = join(root, `${++made}`, 'incidents'), bytes = mebibyte) => {
  const said: unknown[] = [];
  const clock = { now: Date.UTC(2025, 5, 1) };
  const now = () => clock.now;
  const writer = new LineWriter({ directory, bytes, now, onFailure: (error) => said.push(error) });
  return { writer, directory, said, clock };
};

const names = (directory: string): string[] => readdirSync(directory).sort();
const content = (directory: string): string =>
  names(directory)
    .map((name) => readFileSync(join(directory, name), 'utf8'))
    .join('');
const bytesIn = (directory: string): number =>
  names(directory).reduce((sum, name) => sum + lstatSync(join(directory, name)).size, 0);

test('lines are written in order, to a file that its owner and group alone may read', async () => {
  const { writer, directory } = writerIn();
  for (const n of [1, 2, 3]) writer.append({ v: 1, n });
  await writer.flush();
  assert.deepEqual(names(directory), ['incidents-20250601T000000000Z.jsonl']);
  assert.equal(content(directory), '{"v":1,"n":1}\n{"v":1,"n":2}\n{"v":1,"n":3}\n');
  assert.equal(statSync(directory).mode & 0o7027, 0, 'nothing for others, nor to write for the group');
  assert.equal(statSync(join(directory, names(directory)[0] as string)).mode & 0o7137, 0);
});

test('a value is written as it was when it was given', async () => {
  const { writer, directory } = writerIn();
  const value = { v: 1, n: 1 };
  writer.append(value);
  value.n = 2;
  await writer.flush();
  assert.equal(content(directory), '{"v":1,"n":1}\n');
});

test('after a restart the same file goes on', async () => {
  const { writer, directory } = writerIn();
  writer.append({ n: 1 });
  await writer.flush();
  const { writer: next, clock } = writerIn(directory);
  clock.now += 86_400_000;
  next.append({ n: 2 });
  await next.flush();
  assert.equal(names(directory).length, 1);
  assert.equal(content(directory), '{"n":1}\n{"n":2}\n');
});

test('a line that was cut off does not take the next one with it', async () => {
  const { writer, directory } = writerIn();
  writer.append({ n: 1 });
  await writer.flush();
  appendFileSync(join(directory, names(directory)[0] as string), '{"n":');
  writer.append({ n: 2 });
  await writer.flush();
  assert.equal(content(directory), '{"n":1}\n{"n":\n{"n":2}\n');
});

test('the directory stays within its bound: the oldest lines go, and nothing that is not ours', async () => {
  const { writer, directory, clock } = writerIn();
  mkdirSync(directory, { recursive: true });
  const foreign = ['incidents.jsonl', 'incidents-20200101T000000000Z.jsonl.gz', 'a'];
  for (const name of foreign) writeFileSync(join(directory, name), 'x'.repeat(1000));
  const target = join(root, 'untouched');
  writeFileSync(target, 'untouched');
  const link = join(directory, 'incidents-20200101T000000000Z.jsonl');
  symlinkSync(target, link);
  const extra = bytesIn(directory);
  for (let n = 0; n < 400; n += 1) {
    clock.now += 1000;
    writer.append({ n, filler: 'x'.repeat(10_000) });
    await writer.flush();
    assert.ok(bytesIn(directory) - extra <= mebibyte, `after ${n} lines`);
  }
  assert.ok(bytesIn(directory) - extra > mebibyte / 2, 'what there is room for is kept');
  const kept = names(directory).filter((name) => !foreign.includes(name) && join(directory, name) !== link);
  assert.ok(kept.length >= 4, 'a full file does not cost all that is kept');
  const numbers = kept.flatMap((name) =>
    readFileSync(join(directory, name), 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { n: number }).n),
  );
  assert.deepEqual(
    numbers,
    Array.from(numbers, (_, index) => 399 - numbers.length + 1 + index),
    'the newest, in order, without a gap',
  );
  for (const name of foreign) assert.ok(existsSync(join(directory, name)), name);
  assert.equal(readFileSync(target, 'utf8'), 'untouched');
  assert.ok(lstatSync(link).isSymbolicLink());
});

test('names follow each other also when the time of day was set back', async () => {
  const { writer, directory, clock } = writerIn();
  for (const step of [0, -86_400_000, 0]) {
    clock.now += step;
    writer.append({ filler: 'x'.repeat(100_000) });
    await writer.flush();
  }
  assert.deepEqual(names(directory), [
    'incidents-20250601T000000000Z.jsonl',
    'incidents-20250601T000000001Z.jsonl',
    'incidents-20250601T000000002Z.jsonl',
  ]);
});

test('a link in the place of the file that would be written is not followed', async () => {
  const { writer, directory, said } = writerIn();
  mkdirSync(directory, { recursive: true });
  const target = join(root, 'victim');
  writeFileSync(target, 'untouched');
  symlinkSync(target, join(directory, 'incidents-20250601T000000000Z.jsonl'));
  writer.append({ n: 1 });
  await writer.flush();
  assert.equal(readFileSync(target, 'utf8'), 'untouched');
  assert.deepEqual([writer.failures, said.length], [1, 1]);
  assert.match(String(said[0]), /ELOOP/);
});

test('a directory that was removed is made again', async () => {
  const { writer, directory } = writerIn();
  writer.append({ n: 1 });
  await writer.flush();
  rmSync(directory, { recursive: true });
  writer.append({ n: 2 });
  await writer.flush();
  assert.equal(content(directory), '{"n":2}\n');
});

test('what cannot be written is told once and counted, and written when it can be', async () => {
  const obstacle = join(root, `${++made}`);
  writeFileSync(obstacle, 'no directory');
  const { writer, directory, said } = writerIn(join(obstacle, 'incidents'));
  for (const n of [1, 2]) {
    writer.append({ n });
    await writer.flush();
  }
  assert.deepEqual([writer.failures, writer.lost, said.length], [2, 0, 1]);
  assert.match(String(said[0]), /ENOTDIR/);
  rmSync(obstacle);
  writer.append({ n: 3 });
  await writer.flush();
  assert.equal(content(directory), '{"n":1}\n{"n":2}\n{"n":3}\n');
  rmSync(obstacle, { recursive: true });
  writeFileSync(obstacle, 'again');
  writer.append({ n: 4 });
  await writer.flush();
  assert.equal(said.length, 2, 'it is told again after it had worked');
});

test('lines that wait for a disk are bounded: the oldest are lost and counted', async () => {
  const obstacle = join(root, `${++made}`);
  writeFileSync(obstacle, 'no directory');
  const { writer, directory } = writerIn(join(obstacle, 'incidents'));
  for (let n = 0; n < 50; n += 1) writer.append({ n, filler: 'x'.repeat(100_000) });
  await writer.flush();
  rmSync(obstacle);
  await writer.flush();
  const written = content(directory).trim().split('\n');
  assert.ok(writer.lost > 0 && written.length > 0);
  assert.equal((JSON.parse(written.at(-1) as string) as { n: number }).n, 49);
});

test('a line longer than a reader would take is given up', async () => {
  const { writer, directory } = writerIn();
  writer.append({ filler: 'x'.repeat(256 * 1024) });
  writer.append({ n: 1 });
  await writer.flush();
  assert.deepEqual([writer.lost, content(directory)], [1, '{"n":1}\n']);
});
