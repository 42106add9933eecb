/** The daemon as the package has it: one file, with fragments and page beside it and no npm packages. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { version } from '../../../src/config/version.js';
import { packageRoot } from '../../../src/package-root.js';

interface Bundle {
  readonly program: string;
  readonly page: Readonly<Record<string, string>>;
  readonly notices: string;
  readonly packages: readonly string[];
}

const part = (name: string) =>
  import(pathToFileURL(path.join(packageRoot, 'deploy/package', name)).href) as Promise<
    Record<string, (...args: readonly unknown[]) => unknown>
  >;

let bundle: Bundle;
const folder = mkdtempSync(path.join(tmpdir(), 'mmaplockd-bundle-'));
const program = path.join(folder, 'mmaplockd.mjs');
before(async () => {
  bundle = (await (await part('bundle.mjs')).bundleAll!()) as Bundle;
  writeFileSync(program, bundle.program);
  cpSync(path.join(packageRoot, 'bpf'), path.join(folder, 'bpf'), { recursive: true });
});
after(() => rmSync(folder, { recursive: true }));

const run = (...args: readonly string[]) => {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('MMAPLOCKD_')),
  );
  return spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', env, cwd: folder });
};

test('it runs, with all it needs in it', () => {
  const said = run('--version');
  assert.equal(said.stdout, `mmaplockd ${version}\n`, said.stderr);
  assert.equal(run('run', '--config.check').status, 0);
});

test('it finds the fragments beside it', () => {
  // Which of them run depends on the host; that there are all of them does not.
  const { stderr } = run('dump-program', '--fragment', 'no-such-fragment');
  const names = readdirSync(path.join(packageRoot, 'bpf'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.bt'))
    .map((file) => path.basename(file, '.bt'));
  const told = (/there are: (.*)/.exec(stderr)?.[1] ?? '').split(', ');
  assert.deepEqual(told.sort(), names.sort(), stderr);
});

test('it finds the sources of the demonstration beside it, and says what it needs to compile them', () => {
  const env = { PATH: path.join(folder, 'bpf') };
  const demo = () => spawnSync(process.execPath, [program, 'demo'], { encoding: 'utf8', env, cwd: folder });
  assert.match(demo().stderr, /workload_missing: .*\/src\/cli\/demo\/load\/writers\.c/);
  cpSync(path.join(packageRoot, 'src/cli/demo/load'), path.join(folder, 'demo'), { recursive: true });
  const { status, stderr } = demo();
  assert.equal(status, 1);
  assert.match(stderr, /compiler_missing: .*no C compiler \(cc or gcc\)/);
  assert.match(stderr, /apt-get install gcc/);
});

test('it is one file whatever folder it was made in, and names no path of the machine', () => {
  // With what lies in it: the folder itself may be called /src, and so is one in the sources.
  for (const inner of ['dist', 'node_modules', 'deploy', 'bpf'])
    assert.ok(!bundle.program.includes(`${packageRoot}/${inner}/`), inner);
  assert.doesNotMatch(bundle.program, /^#!/);
});

test('the page comes along, small, and names no path of the machine', () => {
  assert.deepEqual(Object.keys(bundle.page).sort(), ['icon.svg', 'index.html', 'page.css', 'page.js']);
  const text = Object.values(bundle.page).join('');
  assert.ok(text.length < 150_000, `${text.length} characters`);
  assert.ok(!text.includes(`${packageRoot}/`));
});

test('the copyright has the licence of every npm package in it, and of Node', async () => {
  assert.ok(bundle.packages.length > 20 && bundle.packages.includes('node_modules/fastify'));
  assert.ok(bundle.packages.includes('node_modules/uplot'), 'that of the page');
  const text = (await part('copyright.mjs')).copyright!(bundle, 'the licence of Node') as string;
  for (const name of bundle.packages.map((found) => found.replace(/^.*node_modules\//, '')))
    assert.match(text, new RegExp(`^${name.replace('.', '\\.')} \\d[\\d.]*\\n\\n\\S`, 'm'), name);
  assert.ok(text.trimEnd().endsWith('the licence of Node'));
});
