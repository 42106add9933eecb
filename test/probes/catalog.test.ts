import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { packageRoot } from '../../src/host.js';
import { readCatalog } from '../../src/probes/catalog.js';
import { observables } from '../../src/vocabulary.js';
import { fragmentText } from './fake.js';

const root = mkdtempSync(path.join(tmpdir(), 'mmaplockd-catalog-'));
after(() => rmSync(root, { recursive: true }));

const directory = (name: string, files: Readonly<Record<string, string>>): string => {
  mkdirSync(path.join(root, name));
  for (const [file, text] of Object.entries(files)) writeFileSync(path.join(root, name, file), text);
  return path.join(root, name);
};

test('fragments are read in the order of their names, other files not at all', async () => {
  const { fragments, problems } = await readCatalog(
    directory('good', { 'b.bt': fragmentText(), 'a.bt': fragmentText(), 'README.md': '#', 'c.bt.orig': '' }),
  );
  assert.deepEqual(
    fragments.map(({ name }) => name),
    ['a', 'b'],
  );
  assert.deepEqual(problems, []);
});

test('a broken fragment and one that cannot be read do not lose the others', async () => {
  const folder = directory('broken', { 'a.bt': 'kprobe:x', 'z.bt': fragmentText() });
  mkdirSync(path.join(folder, 'folder.bt'));
  const { fragments, problems } = await readCatalog(folder);
  assert.deepEqual(
    fragments.map(({ name }) => name),
    ['z'],
  );
  assert.deepEqual(
    problems.map(({ code, field }) => [code, field]),
    [
      ['fragment_malformed', 'a.bt'],
      ['fragment_malformed', 'folder.bt'],
    ],
  );
  assert.match(problems[1]?.message ?? '', /^folder\.bt: EISDIR/);
});

test('a directory that is not there is an error that names the setting', async () => {
  await assert.rejects(readCatalog(path.join(root, 'absent')), {
    code: 'fragment_malformed',
    field: 'probes.directory',
    message: /ENOENT/,
  });
});

test('each shipped fragment says what it is, what it costs and what it cannot see', async (context) => {
  const { fragments, problems } = await readCatalog(path.join(packageRoot, 'bpf'));
  assert.deepEqual(problems, []);
  assert.ok(fragments.length > 0);
  for (const fragment of fragments)
    await context.test(fragment.name, () => {
      const header = fragment.lines.slice(0, fragment.bodyStart);
      assert.equal(header[0], `// ${fragment.name}.bt  ${fragment.summary}`);
      for (const section of ['MECHANISM', 'COST', 'CANNOT SEE', 'BY HAND'])
        assert.ok(
          header.some((line) => line.startsWith(`// ${section}. `)),
          `the header has no section ${section}`,
        );
      assert.ok(fragment.provides.length > 0);
      for (const { what } of fragment.provides) assert.ok(observables.includes(what), what);
      assert.ok(fragment.prints.length > 0, 'it prints nothing, so it shows nothing');
    });
});
