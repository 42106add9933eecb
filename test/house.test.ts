/** The rules of the house: who may import what, and what no source file may do. Read off the sources themselves. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../src/package-root.js';

interface Import {
  /** A file of src, as `ledger/slots/slots.ts`; undefined for a package. */
  readonly file: string | undefined;
  /** A package or module of Node. */
  readonly module: string | undefined;
}

interface Source {
  /** Relative to its directory, as `ledger/slots/slots.ts`. */
  readonly file: string;
  readonly text: string;
  /** Without comments; strings stay. */
  readonly code: string;
  readonly imports: readonly Import[];
}

const importLine =
  /^(?:import|export)\s+(?:type\s+)?(?:[^'";]*?\s+from\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm;
const commentOrLiteral =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g;
const isComment = (text: string): boolean => text.startsWith('//') || text.startsWith('/*');

const importsOf = (file: string, code: string): Import[] =>
  Array.from(code.matchAll(importLine), ([, from, dynamic]) => {
    const target = from ?? (dynamic as string);
    return target.startsWith('.')
      ? {
          file: path.posix.join(path.posix.dirname(file), target).replace(/\.js$/, '.ts'),
          module: undefined,
        }
      : { file: undefined, module: target };
  });

const read = (directory: string, ending: string): Source[] =>
  readdirSync(path.join(packageRoot, directory), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .sort()
    .map((file) => {
      const text = readFileSync(path.join(packageRoot, directory, file), 'utf8');
      const code = text.replace(commentOrLiteral, (found) => (isComment(found) ? ' ' : found));
      return { file, text, code, imports: importsOf(file, code) };
    });

const sources = read('src', '.ts');
const fragments = read('bpf', '.bt');
const known = new Set(sources.map(({ file }) => file));

/** The first folder of a file, or its name where it lies in src itself. */
const roomOf = (file: string): string => file.split('/')[0]?.replace(/\.ts$/, '') ?? '';

/** The way of the data: each may import what is before it. */
const way = [
  ['kernel'],
  ['probes'],
  ['survey'], // this host, its one daemon, and who has proc files open already
  ['bpftrace'],
  ['ledger'],
  ['watch'], // what is decided from all that: readiness, budget, inspect mode
  ['store'],
  ['evidence'],
  ['metrics'],
  ['api'], // what is said to whoever asks, in JSON
  ['http'],
  ['page'], // what a browser shows of what http serves
  ['systemd'], // what the service manager is told
  ['cli'],
  ['daemon', 'main'],
] as const;
const rank = (room: string): number => way.findIndex((rooms) => (rooms as readonly string[]).includes(room));

/** Leaves belong to no place on the way: everyone may import them, and they import only these. */
const leaves: Readonly<Record<string, readonly string[]>> = {
  vocabulary: [],
  errors: [],
  clock: [],
  'package-root': [],
  node: [],
  text: [],
  'own-records': ['vocabulary'],
  records: ['own-records', 'vocabulary'],
  config: ['errors', 'identity', 'text'],
  identity: ['errors'],
  log: ['config', 'errors', 'text'],
  cost: ['identity', 'clock', 'errors', 'vocabulary'],
};

const edges = sources.flatMap(({ file, imports }) =>
  imports.flatMap((found) => (found.file === undefined ? [] : [{ from: file, to: found.file, ...found }])),
);

test('the sources are seen, and their imports resolve', () => {
  assert.ok(sources.length > 40, `${sources.length} files`);
  assert.ok(edges.length > 100, `${edges.length} imports`);
  assert.deepEqual(
    edges.filter(({ to }) => !known.has(to)).map(({ from, to }) => `${from} imports ${to}`),
    [],
  );
  for (const { file } of sources) {
    const room = roomOf(file);
    assert.ok(rank(room) >= 0 || Object.hasOwn(leaves, room), `${file} is in no room this test knows`);
  }
});

test('imports go one way, types included', () => {
  const breaches = edges
    .filter(({ from, to }) => {
      const [importer, imported] = [roomOf(from), roomOf(to)];
      if (importer === imported) return false;
      if (Object.hasOwn(leaves, importer)) return !leaves[importer]?.includes(imported);
      return !Object.hasOwn(leaves, imported) && rank(imported) > rank(importer);
    })
    .map(({ from, to }) => `${from} imports ${to}`);
  assert.deepEqual(breaches, []);
});

test('no two files need each other, types included', () => {
  const needs = new Map<string, string[]>();
  for (const { from, to } of edges) needs.set(from, [...(needs.get(from) ?? []), to]);
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    assert.ok(!way.includes(file), `a circle: ${[...way, file].join(' -> ')}`);
    if (done.has(file)) return;
    for (const next of needs.get(file) ?? []) visit(next, [...way, file]);
    done.add(file);
  };
  for (const { file } of sources) visit(file, []);
});

test('the ledger is pure: it imports records, vocabulary and itself', () => {
  for (const { file, imports } of sources.filter(({ file }) => roomOf(file) === 'ledger'))
    for (const found of imports) {
      assert.equal(found.module, undefined, file);
      assert.ok(
        ['ledger', 'records', 'vocabulary'].includes(roomOf(found.file ?? '')),
        `${file}: ${found.file}`,
      );
    }
});

test('what is said is written in api: no member of JSON has its name elsewhere', () => {
  const member = /^\s+[a-z]+(?:_[a-z0-9]+)+(?:\??:\s|,$)/m;
  // The codes of problems, by code; and settings, which have the names of their file.
  const others = ['http/problem.ts', 'http/routes/inspect.ts'];
  for (const room of ['http', 'ledger', 'identity', 'cost'])
    for (const { file, code } of sources.filter((source) => roomOf(source.file) === room))
      if (!others.includes(file)) assert.doesNotMatch(code, member, file);
});

test('the ledger has no clock of its own', () => {
  for (const { file, code } of sources.filter(({ file }) => roomOf(file) === 'ledger'))
    assert.doesNotMatch(code, /\bDate\.now\b|\bnew Date\(\)|\bperformance\b|\bprocess\.|\bconsole\b/, file);
});

const importersOf = (module: RegExp): string[] =>
  sources
    .filter(({ imports }) => imports.some((found) => module.test(found.module ?? '')))
    .map(({ file }) => file);

test('processes are started by src/bpftrace, by the demo, and to tell systemd', () => {
  const starters = importersOf(/^(node:)?child_process$|^execa$|^(node:)?(worker_threads|cluster)$/);
  assert.ok(starters.includes('bpftrace/process/session.ts'));
  assert.deepEqual(
    starters.filter(
      (file) => roomOf(file) !== 'bpftrace' && !['cli/demo/demo.ts', 'systemd/send.ts'].includes(file),
    ),
    [],
  );
});

test('each library is known to one room', () => {
  const roomsOf = (module: RegExp): string[] => [...new Set(importersOf(module).map(roomOf))].sort();
  assert.deepEqual(roomsOf(/^@?fastify/), ['http']);
  assert.deepEqual(roomsOf(/^prom-client$/), ['metrics']);
  assert.deepEqual(roomsOf(/^pino/), ['log']);
  assert.deepEqual(roomsOf(/^yaml$/), ['config']);
});

test('timers are set by src/clock.ts alone', () => {
  // The time-out of a socket is a method, and no timer of ours.
  const timer = /(?<!\.)\bset(?:Timeout|Interval|Immediate)\s*\(|\bAbortSignal\.timeout\b/;
  assert.deepEqual(
    // A browser has no clock of ours.
    sources.filter(({ file, code }) => roomOf(file) !== 'page' && timer.test(code)).map(({ file }) => file),
    ['clock.ts'],
  );
  assert.deepEqual(
    sources
      .filter(({ file, code }) => roomOf(file) !== 'page' && /\.setTimeout\(/.test(code))
      .map(({ file }) => file),
    [],
  );
  assert.deepEqual(importersOf(/^(node:)?timers/), []);
});

test('the time of day is read by src/clock.ts alone', () => {
  const read = /\bDate\.now\b|\bnew Date\(\s*\)|\bDate\(\)/;
  assert.deepEqual(
    sources.filter(({ file, code }) => roomOf(file) !== 'page' && read.test(code)).map(({ file }) => file),
    ['clock.ts'],
  );
});

/** Files of /proc/PID whose reader takes the mmap_lock of that process. */
const locking =
  /(?:^|\/)(?:maps|smaps|smaps_rollup|numa_maps|pagemap|clear_refs|cmdline|environ|auxv|map_files)$/;

test('no file of /proc is read that takes the mmap_lock of its process', () => {
  for (const { file, code, imports } of sources) {
    const readsFiles = imports.some(({ module }) => /^node:fs/.test(module ?? ''));
    const modules = new Set(imports.map(({ module }) => module));
    for (const [literal] of code.matchAll(commentOrLiteral)) {
      const text = literal.slice(1, -1).replace(/\$\{[^}]*\}/g, 'X');
      if (modules.has(text) || /\s/.test(text) || !locking.test(text)) continue;
      if (file === 'kernel/host.ts' && text === 'cmdline') continue; // /proc/cmdline: the kernel's own
      assert.ok(!text.includes('/') && !readsFiles, `${file}: ${literal}`);
    }
  }
});

test('proc files whose name is known only at run time are read in one place, and of this process alone', () => {
  const opened = sources.flatMap(({ file, code }) =>
    Array.from(code.matchAll(/`(\/proc\/[^`$]*)\$\{/g), ([, start]) => `${file}: ${start}`),
  );
  assert.deepEqual(opened, ['kernel/own-files.ts: /proc/self/']);
});

test('the fragments: no stacks of programs, no BEGIN or END, no strings, nothing printed but integers, nothing cleared', () => {
  assert.ok(fragments.length > 0);
  for (const { file, text, code } of fragments) {
    assert.doesNotMatch(code, /\bustack\b|\busym\b|\buaddr\b/, file);
    // The kernel's own stacks cost the more the deeper they are.
    if (!/^\/\/@ mode inspect$/m.test(text)) assert.doesNotMatch(code, /\bkstack\b/, file);
    assert.doesNotMatch(code, /^\s*(?:BEGIN|END)\b/m, file);
    assert.doesNotMatch(code, /\b(?:str|buf|comm|print|clear|zero)\s*\(/, file);
    // src/bpftrace/decode has no decoder for what these print.
    assert.doesNotMatch(code, /\b(?:avg|stats|tseries|system|join|cat|time|errorf|warnf)\s*\(/, file);
    for (const [, format] of code.matchAll(/\bprintf\s*\(([^,]*)/g))
      assert.match(format!, /^"[a-z-]+(?: %llu)+\\n"$/, file);
    assert.doesNotMatch(code, /\bcomm\b/, file);
  }
});

test('nothing but the page asks Intl: its data of all languages costs Node 11 MB of memory', () => {
  for (const { file, code } of sources.filter(({ file }) => roomOf(file) !== 'page'))
    assert.doesNotMatch(code, /\bIntl\b|\.toLocale\w+\(|\.localeCompare\(/, file);
});

test('no file is longer than 300 lines', () => {
  const long = [...sources, ...fragments].filter(({ text }) => text.split('\n').length > 301);
  assert.deepEqual(
    long.map(({ file }) => file),
    [],
  );
});

/** Whatever makes a shell of a string, under any of its names. */
const shell =
  /\bshell\s*:|\bexecSync\b|\bexecaCommand|(?<![.\w])exec\s*\(|\{[^}]*\$[^}]*\}\s*from 'execa'|['"`](?:\/(?:usr\/)?bin\/)?(?:ba|da|z|)sh['"`]/;

test('no shell: programs are started by their name and a list of arguments', () => {
  for (const text of ["execa('id', { shell: true })", "exec('id')", "spawn('/bin/sh', ['-c', x])"])
    assert.match(text, shell);
  const bootstrap = read('deploy/bootstrap', '.mjs');
  assert.ok(bootstrap.length > 5);
  for (const { file, code } of [...sources, ...bootstrap]) assert.doesNotMatch(code, shell, file);
});
