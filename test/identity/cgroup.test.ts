import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { CgroupIndex } from '../../src/identity/cgroup.js';

const base = mkdtempSync(join(tmpdir(), 'mmaplock-cgroup-'));
after(() => rmSync(base, { recursive: true }));

let root = '';
let time = 0;
const now = (): number => time;
const make = (path: string): bigint => {
  mkdirSync(join(root, path), { recursive: true });
  return statSync(join(root, path), { bigint: true }).ino;
};
beforeEach(() => {
  root = mkdtempSync(join(base, 'root-'));
  time = 0;
});

test('an id is unknown until a refresh has looked for it', async () => {
  const id = make('system.slice/nginx.service');
  const index = new CgroupIndex({ now, root });
  assert.equal(index.resolve(id), undefined);
  await index.refresh();
  assert.equal(index.resolve(id)?.path, '/system.slice/nginx.service');
  assert.equal(index.resolve(id)?.unit, 'nginx.service');
});

test('none and the root are no cgroup, and nothing is looked for on their account', async () => {
  make('a');
  const index = new CgroupIndex({ now, root });
  assert.equal(index.resolve(0n), undefined);
  assert.equal(index.resolve(1n), undefined);
  await index.refresh();
  assert.equal(index.size, 0);
});

test('walks begin at least 10 s apart', async () => {
  const first = make('first');
  const index = new CgroupIndex({ now, root });
  index.resolve(first);
  await index.refresh();
  const second = make('second');
  index.resolve(second);
  time = 9_999;
  await index.refresh();
  assert.equal(index.resolve(second), undefined);
  time = 10_000;
  await index.refresh();
  assert.equal(index.resolve(second)?.path, '/second');
});

test('an id that a walk did not find is not looked for again', async () => {
  const index = new CgroupIndex({ now, root });
  index.resolve(999_999_999_999n);
  await index.refresh();
  make('later');
  time = 20_000;
  index.resolve(999_999_999_999n);
  await index.refresh();
  assert.equal(index.size, 1, 'only the root, from the first walk');
});

test('a cgroup that is gone stays known for 10 minutes after it was missed', async () => {
  const dead = make('dead');
  make('alive');
  const index = new CgroupIndex({ now, root });
  const walkAt = async (at: number): Promise<void> => {
    time = at;
    index.resolve(BigInt(10 ** 15 + at));
    await index.refresh();
  };
  await walkAt(0);
  assert.equal(index.resolve(dead)?.path, '/dead');
  rmdirSync(join(root, 'dead'));
  await walkAt(3_600_000);
  assert.equal(index.resolve(dead)?.path, '/dead');
  await walkAt(3_600_000 + 599_999);
  assert.equal(index.resolve(dead)?.path, '/dead');
  await walkAt(3_600_000 + 610_000);
  assert.equal(index.resolve(dead), undefined);
});

test('memory is bounded, and what was asked for last stays', async () => {
  const ids = Array.from({ length: 20 }, (_, number) => make(`group-${number}`));
  const index = new CgroupIndex({ now, root, maxEntries: 4 });
  for (const id of ids.slice(0, 3)) index.resolve(id);
  await index.refresh();
  assert.equal(index.size, 4);
  for (const id of ids.slice(0, 3)) assert.ok(index.resolve(id) !== undefined);
  time = 10_000;
  index.resolve(ids[19]!);
  await index.refresh();
  assert.equal(index.size, 4);
  assert.equal(index.resolve(ids[19]!)?.path, '/group-19');
  for (const id of ids.slice(0, 3)) assert.ok(index.resolve(id) !== undefined);
});

test('a walk looks at no more directories than allowed, the upper levels first', async () => {
  const deep = make('a/b/c/d');
  const upper = make('z');
  const index = new CgroupIndex({ now, root, maxDirectories: 3 });
  index.resolve(deep);
  index.resolve(upper);
  await index.refresh();
  assert.equal(index.resolve(upper)?.path, '/z');
  assert.equal(index.resolve(deep), undefined);
  assert.equal(index.size, 3);
});

test('beside v1 controllers the hierarchy is in `unified`', async () => {
  const id = make('unified/system.slice');
  writeFileSync(join(root, 'unified/cgroup.controllers'), '');
  const index = new CgroupIndex({ now, root });
  index.resolve(id);
  await index.refresh();
  assert.equal(index.resolve(id)?.path, '/system.slice');
});

test('no cgroup file system at all leaves every id unknown', async () => {
  const index = new CgroupIndex({ now, root: join(root, 'absent') });
  index.resolve(5n);
  await index.refresh();
  assert.equal(index.resolve(5n), undefined);
});

const live = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find((path) =>
  existsSync(join(path, 'cgroup.controllers')),
);

/** The id by another way than the inode number: bpftrace asks for the file handle of the directory. */
const cgroupId = (directory: string): bigint => {
  const program = `interval:ms:10 { printf("id %llu\\n", cgroupid(${JSON.stringify(directory)})); exit(); }`;
  const output = execFileSync('bpftrace', ['-e', program], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return BigInt(/^id (\d+)$/m.exec(output)![1]!);
};

test('a real cgroup is found by the id the kernel gives it', async (context) => {
  if (live === undefined) return context.skip('no cgroup v2 is mounted');
  if (process.getuid?.() !== 0) return context.skip('needs root');
  if (spawnSync('bpftrace', ['--version']).error) return context.skip('bpftrace is not installed');
  const name = `mmaplock-test-${process.pid}`;
  const directory = join(live, name);
  try {
    mkdirSync(directory);
  } catch (error) {
    return context.skip(`cannot make a cgroup: ${error}`);
  }
  try {
    const id = cgroupId(directory);
    const index = new CgroupIndex({ now });
    index.resolve(id);
    await index.refresh();
    assert.equal(index.resolve(id)?.path, `/${name}`);
  } finally {
    rmdirSync(directory);
  }
});
