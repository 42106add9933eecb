/** test/tested.json: which kernels passed with which sources, and which are due. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { packageRoot } from '../../src/package-root.js';
import { loadModule } from '../support/modules.js';

type Tested = Readonly<Record<string, { readonly hash: string }>>;

const { hashed, hashOf, kernelsToRun, readTested, withPassed, writeTested } = loadModule(
  'test/kernels/tested.mjs',
) as {
  hashed: readonly string[];
  hashOf: (project: string) => string;
  kernelsToRun: (options: { tested: Tested; hash: string; turn: number; names: readonly string[] }) => {
    names: readonly string[];
    why: string;
  };
  readTested: (project: string) => Tested;
  withPassed: (tested: Tested, passed: Tested, order: readonly string[]) => Tested;
  writeTested: (project: string, tested: Tested) => void;
};
const { matrix } = loadModule('test/kernels/matrix.mjs') as {
  matrix: readonly { readonly name: string; readonly hosts?: boolean }[];
};

const names = ['6.1', '6.12', '6.12-rcu', '7.2'];

const tested = (hashes: Readonly<Record<string, string>>): Tested =>
  Object.fromEntries(Object.entries(hashes).map(([name, hash]) => [name, { hash }]));

const all = (hash: string): Tested => tested(Object.fromEntries(names.map((name) => [name, hash])));

const due = (options: { tested: Tested; turn?: number; names?: readonly string[] }): readonly string[] =>
  kernelsToRun({ hash: 'new', turn: 0, names, ...options }).names;

/** A project with one file in each folder that counts; gone after the test. */
const projectFor = (context: TestContext): string => {
  const project = mkdtempSync(path.join(tmpdir(), 'mmaplockd-tested-'));
  context.after(() => rmSync(project, { recursive: true }));
  for (const folder of [...hashed, 'test']) {
    mkdirSync(path.join(project, folder), { recursive: true });
    writeFileSync(path.join(project, folder, 'one'), folder);
  }
  return project;
};

test('sources with which nothing has passed: the oldest and the newest kernel run', () => {
  assert.deepEqual(due({ tested: {} }), ['6.1', '7.2']);
  assert.deepEqual(due({ tested: all('old') }), ['6.1', '7.2']);
});

test('of those two, one that has passed does not run again', () => {
  assert.deepEqual(due({ tested: { ...all('old'), ...tested({ '6.1': 'new' }) } }), ['7.2']);
});

test('once both have passed, the others take turns until they have passed, too', () => {
  const both = { ...all('old'), ...tested({ '6.1': 'new', '7.2': 'new' }) };
  assert.deepEqual(due({ tested: both, turn: 6 }), ['6.12']);
  assert.deepEqual(due({ tested: both, turn: 7 }), ['6.12-rcu']);
  assert.deepEqual(due({ tested: { ...both, ...tested({ '6.12': 'new' }) }, turn: 6 }), ['6.12-rcu']);
});

test('where all have passed, one runs by turns, and each has its turn', () => {
  const turns = [0, 1, 2, 3, 4].map((turn) => due({ tested: all('new'), turn }));
  assert.deepEqual(turns, [['6.1'], ['6.12'], ['6.12-rcu'], ['7.2'], ['6.1']]);
});

test('a kernel that cannot run here is never waited for', () => {
  const here = names.filter((name) => name !== '6.12-rcu');
  const passed = { ...all('new'), ...tested({ '6.12-rcu': 'old' }) };
  assert.deepEqual(
    [0, 1, 2].map((turn) => due({ tested: passed, turn, names: here })),
    [['6.1'], ['6.12'], ['7.2']],
  );
  assert.deepEqual(due({ tested: passed, names: [] }), []);
});

test('other kinds of hosts are for test:all: they take no turn', () =>
  assert.deepEqual(
    matrix.filter(({ hosts }) => hosts !== true).map(({ name }) => name),
    names,
  ));

test('it says why', () => {
  const why = (of: Tested) => kernelsToRun({ tested: of, hash: 'new', turn: 5, names }).why;
  assert.match(why(all('old')), /^not passed yet with bpf, src\/kernel, .* \(new\)$/);
  assert.match(why(all('new')), /all passed; by turns, turn 5$/);
  assert.match(
    why({ ...all('new'), ...tested({ '6.12': 'old' }) }),
    /passed, 6\.12 not yet; by turns, turn 5$/,
  );
});

test('the hash changes with each content, each name and each folder', (context) => {
  const project = projectFor(context);
  const seen = new Set([hashOf(project)]);
  const differs = (what: string): void => {
    const hash = hashOf(project);
    assert.ok(!seen.has(hash), what);
    seen.add(hash);
  };
  for (const folder of hashed) {
    const file = path.join(project, folder, 'one');
    writeFileSync(file, `${folder}, changed`);
    differs(`content in ${folder}`);
    renameSync(file, path.join(project, folder, 'two'));
    differs(`name in ${folder}`);
  }
  const deep = path.join(project, 'src/bpftrace/decode');
  mkdirSync(deep);
  writeFileSync(path.join(deep, 'text.ts'), 'text');
  differs('a file further down');
});

test('the hash is that of the sources alone, wherever they lie', (context) => {
  const project = projectFor(context);
  const copy = projectFor(context);
  assert.equal(hashOf(copy), hashOf(project));
  writeFileSync(path.join(copy, 'src/main.ts'), 'not hashed');
  assert.equal(hashOf(copy), hashOf(project));
});

test('a kernel that passes changes its own entry, in the order of the matrix', (context) => {
  const project = projectFor(context);
  const after = withPassed(
    { '7.2': { hash: 'old' }, gone: { hash: 'old' } },
    { '6.1': { hash: 'new' } },
    names,
  );
  assert.deepEqual(Object.entries(after), [
    ['6.1', { hash: 'new' }],
    ['7.2', { hash: 'old' }],
  ]);
  writeTested(project, after);
  assert.deepEqual(readTested(project), after);
});

test('nothing has passed where there is no file', (context) =>
  assert.deepEqual(readTested(projectFor(context)), {}));

test('the committed file names kernels of the matrix alone, each with a hash', () => {
  const text = readFileSync(path.join(packageRoot, 'test/tested.json'), 'utf8');
  const order = matrix.map(({ name }) => name);
  const committed = readTested(packageRoot);
  assert.deepEqual(committed, withPassed(committed, {}, order));
  assert.equal(text, `${JSON.stringify(committed, null, 2)}\n`);
  for (const { hash } of Object.values(committed)) assert.match(hash, /^[0-9a-f]{16}$/);
});
