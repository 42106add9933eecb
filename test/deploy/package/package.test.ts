/** The Debian package, but for packing it: see `npm run package -- --verify --lint` for that. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { version } from '../../../src/config/version.js';
import { packageRoot } from '../../../src/package-root.js';

interface PackagedFile {
  readonly path: string;
  readonly from?: string;
  readonly text?: string;
  readonly mode?: number;
  readonly conffile?: boolean;
}

const part = async <T>(name: string): Promise<T> =>
  (await import(pathToFileURL(path.join(packageRoot, 'deploy/package', name)).href)) as T;

const debian = (name: string): string => readFileSync(path.join(packageRoot, 'deploy/debian', name), 'utf8');

const tree = async (): Promise<readonly PackagedFile[]> => {
  const { packageTree } = await part<{ packageTree: (made: object) => PackagedFile[] }>('tree.mjs');
  const texts = { program: 'bundle', copyright: '', configuration: '', manPage: '' };
  return packageTree({ ...texts, page: { 'index.html': 'page' }, node: process.execPath });
};

const onlyWith = (program: string): string | false =>
  spawnSync(program, ['--version']).error === undefined ? false : `there is no ${program} here`;

test('the package has the version of the program, and a date that is not that of the build', async () => {
  const { lastEntry } = await part<{
    lastEntry: (text: string) => { version: string; seconds: number; maintainer: string };
  }>('changelog.mjs');
  const entry = lastEntry(debian('changelog'));
  assert.equal(entry.version, version);
  assert.ok(new Date(entry.seconds * 1000).getUTCFullYear() >= 2025);
  assert.match(debian('control'), new RegExp(`^Maintainer: ${entry.maintainer}$`, 'm'));
});

test('a changelog that cannot be read is refused', async () => {
  const { lastEntry } = await part<{ lastEntry: (text: string) => unknown }>('changelog.mjs');
  for (const text of ['', 'mmaplockd (0.1.0) unstable; urgency=medium\n\n -- nobody\n'])
    assert.throws(() => lastEntry(text), /no entry that can be read/);
});

test('generated files are as the sources want them: else run `npm run package -- --generate`', async () => {
  const { generatedFiles } = await part<{
    generatedFiles: () => Promise<{ path: string; isCurrent: boolean }[]>;
  }>('generated.mjs');
  const files = await generatedFiles();
  assert.ok(files.length >= 2);
  for (const { path: file, isCurrent } of files) assert.ok(isCurrent, file);
});

test('files are where the unit and an administrator look for them', async () => {
  const files = new Map((await tree()).map((file) => [file.path, file]));
  const unitFile = files.get('usr/lib/systemd/system/mmaplockd.service')!.from!;
  const unit = readFileSync(unitFile, 'utf8').replace(/^#.*/gm, '');
  const named = [...unit.matchAll(/(?<=[\s=-])\/(?:usr|etc)\/\S*mmaplockd\S*/g)].map(([file]) =>
    file.slice(1),
  );
  assert.ok(named.length >= 3, named.join(' '));
  for (const file of named) assert.ok(files.has(file), `the unit names /${file}`);

  const wrapper = debian('mmaplockd');
  const started = [...wrapper.matchAll(/\/usr\/lib\/\S+/g)].map(([file]) => file.slice(1));
  assert.deepEqual(started, ['usr/lib/mmaplockd/node', 'usr/lib/mmaplockd/mmaplockd.mjs']);
  for (const file of started) assert.ok(files.has(file), file);

  for (const file of ['usr/bin/mmaplockd', 'usr/lib/mmaplockd/node'])
    assert.equal(files.get(file)?.mode, 0o755, file);
  const conffiles = [...files.values()].filter(({ conffile }) => conffile).map(({ path: file }) => file);
  assert.deepEqual(
    conffiles,
    [...files.keys()].filter((file) => file.startsWith('etc/')),
  );
});

test('every fragment is in the package, where the bundle looks for it', async () => {
  const packaged = (await tree()).filter(({ path: file }) => file.startsWith('usr/lib/mmaplockd/bpf/'));
  assert.ok(packaged.length > 20);
  for (const { from } of packaged) assert.ok(existsSync(from!), from);
});

test('the page is in the package, where the bundle looks for it', async () => {
  const page = (await tree()).find(({ path: file }) => file === 'usr/lib/mmaplockd/page/index.html');
  assert.equal(page?.text, 'page');
});

test('the sources of the demonstration are in the package, with all that they include', async () => {
  const folder = 'usr/lib/mmaplockd/demo';
  const files = new Map((await tree()).map((file) => [file.path, file.from]));
  const wanted = new Set([`${folder}/writers.c`, `${folder}/proc-reader.c`]);
  for (const file of wanted) {
    assert.ok(files.has(file), file);
    for (const [, header] of readFileSync(files.get(file)!, 'utf8').matchAll(/^#include "(.*)"$/gm))
      wanted.add(`${folder}/${header}`);
  }
  const packaged = [...files.keys()].filter((file) => file.startsWith(`${folder}/`));
  assert.deepEqual(packaged, [...wanted].sort(), 'and nothing else');
});

test('control fields: what only the build knows stands after the name', async () => {
  const { controlFields } = await part<{ controlFields: (template: string, of: object) => string }>(
    'control.mjs',
  );
  const text = controlFields(debian('control'), { version: '1.2', architecture: 'arm64', size: 7 });
  assert.match(text, /^Package: mmaplockd\nVersion: 1\.2\nArchitecture: arm64\nInstalled-Size: 7\n/);
  assert.match(text, /^Depends:.* bpftrace \(>= 0\.17\)/m);
  assert.ok(text.endsWith('\n'));
});

test('a tree is laid out with the same modes and times whatever the umask', async () => {
  const { layOut } = await part<{ layOut: (root: string, files: object[], seconds: number) => void }>(
    'lay-out.mjs',
  );
  const folder = mkdtempSync(path.join(tmpdir(), 'mmaplockd-package-'));
  const umask = process.umask(0o077);
  try {
    const files = [
      { path: 'a/b/text', text: 'one' },
      { path: 'a/program', text: '#!/bin/sh\n', mode: 0o755 },
      { path: 'packed', text: 'two', gzip: true },
    ];
    layOut(folder, files, 1_000_000);
    const told = ['a', 'a/b', 'a/b/text', 'a/program', 'packed.gz'].map((name) => {
      const { mode, mtimeMs } = statSync(path.join(folder, name));
      return `${name} ${(mode & 0o777).toString(8)} ${mtimeMs / 1000}`;
    });
    assert.deepEqual(told, [
      'a 755 1000000',
      'a/b 755 1000000',
      'a/b/text 644 1000000',
      'a/program 755 1000000',
      'packed.gz 644 1000000',
    ]);
  } finally {
    process.umask(umask);
    rmSync(folder, { recursive: true });
  }
});

test('scripts are correct for every sh', () => {
  for (const name of ['postinst', 'prerm', 'postrm', 'mmaplockd']) {
    const { status, stderr } = spawnSync('sh', ['-n', path.join(packageRoot, 'deploy/debian', name)]);
    assert.equal(status, 0, `${name}: ${stderr}`);
    assert.match(
      debian(name),
      name === 'mmaplockd'
        ? /^#!\/bin\/sh\n(#.*\n|export .*\n)*exec .*\n$/
        : /^#!\/bin\/sh\n(#.*\n)+set -e\n/,
      name,
    );
  }
});

test('the man page is without fault', { skip: onlyWith('man') }, () => {
  const file = path.join(packageRoot, 'deploy/debian/mmaplockd.8');
  const env = { ...process.env, MANWIDTH: '80', LC_ALL: 'C.UTF-8', MANROFFSEQ: '' };
  const { status, stdout, stderr } = spawnSync(
    'man',
    ['--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', file],
    {
      env,
      encoding: 'utf8',
    },
  );
  assert.equal(status, 0, stderr);
  assert.equal(stderr, '');
  assert.ok(stdout.length > 1000);
});

test('Node is pinned: one release, and the bytes of each architecture', async () => {
  const { nodeRuntime, architectures } = await part<{
    nodeRuntime: { version: string; packages: Record<string, { name: string; integrity: string }> };
    architectures: string[];
  }>('node-runtime.mjs');
  assert.deepEqual(architectures, ['amd64', 'arm64']);
  // Even releases are the ones with long-term support.
  assert.equal(Number(nodeRuntime.version.split('.')[0]) % 2, 0);
  for (const { integrity } of Object.values(nodeRuntime.packages))
    assert.equal(Buffer.from(/^sha512-(.*)$/.exec(integrity)?.[1] ?? '', 'base64').length, 64);
});
