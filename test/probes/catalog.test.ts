import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { packageRoot } from '../../src/package-root.js';
import { readCatalog } from '../../src/probes/catalog.js';
import { observables } from '../../src/vocabulary.js';
import { fragmentText, plainBody } from './fake.js';

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
  assert.match(problems[1]?.message ?? '', /^folder\.bt: it is a directory/);
});

const needing = (...names: readonly string[]): string =>
  fragmentText({
    header: ['mode watch', 'provides waits', 'cost none', ...names.map((name) => `needs fragment ${name}`)],
  });

/** The names of those that can be planned with, and what is said of the others. */
const sorted = async (name: string, files: Readonly<Record<string, string>>) => {
  const { fragments, problems } = await readCatalog(directory(name, files));
  return { read: fragments.map(({ name }) => name), said: problems.map(({ message }) => message) };
};

test('a fragment may depend on others in any order of names, also on one that cannot be read', async () => {
  const files = {
    'a.bt': needing('b', 'c'),
    'b.bt': needing('broken'),
    'c.bt': needing('b'),
    'broken.bt': '',
  };
  const { read, said } = await sorted('dependent', files);
  assert.deepEqual(read, ['a', 'b', 'c']);
  assert.deepEqual(said, ['broken.bt:1: the header lacks //@ mode']);
});

test('a fragment that depends on one that does not exist is malformed', async () => {
  assert.deepEqual(await sorted('missing', { 'a.bt': needing('gone'), 'b.bt': needing('a') }), {
    read: ['b'],
    said: ['a.bt: it depends on the fragment gone, which does not exist'],
  });
});

test('fragments that depend on each other are malformed, those that depend on them are not', async () => {
  const files = { 'a.bt': needing('b'), 'b.bt': needing('c'), 'c.bt': needing('a'), 'd.bt': needing('a') };
  assert.deepEqual(await sorted('circle', { ...files, 'e.bt': needing('e') }), {
    read: ['d'],
    said: [
      'a.bt: it depends on itself: a -> b -> c -> a',
      'b.bt: it depends on itself: b -> c -> a -> b',
      'c.bt: it depends on itself: c -> a -> b -> c',
      'e.bt: it depends on itself: e -> e',
    ],
  });
});

const adding = (fragment: string, hook: string): string =>
  fragmentText({
    header: ['mode watch', 'provides blocks', 'cost none', `needs fragment ${fragment}`],
    body: `//@ at ${fragment} ${hook}\n  @a = count();\n`,
  });

test('a fragment that adds to a hook which is not there is malformed, and no other', async () => {
  const files = {
    'waits.bt': fragmentText({ body: plainBody.replace('}', '  //@ hook begun: nothing\n}') }),
    'good.bt': adding('waits', 'begun'),
    'stray.bt': adding('waits', 'ended'),
    'plain.bt': fragmentText(),
    'nowhere.bt': adding('plain', 'begun'),
    'broken.bt': '',
    'unknown.bt': adding('broken', 'begun'),
  };
  const { fragments, problems } = await readCatalog(directory('hooks', files));
  assert.deepEqual(
    fragments.map(({ name }) => name),
    ['good', 'plain', 'unknown', 'waits'],
  );
  assert.deepEqual(
    problems.slice(1).map(({ code, field, message }) => [code, field, message]),
    [
      [
        'fragment_malformed',
        'nowhere.bt',
        'nowhere.bt: it adds to the hook "begun", which plain does not have',
      ],
      ['fragment_malformed', 'stray.bt', 'stray.bt: it adds to the hook "ended", which waits does not have'],
    ],
  );
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
      for (const { what } of fragment.provides) assert.ok(observables.includes(what), what);
      if (fragment.provides.length > 0)
        assert.ok(fragment.prints.length > 0, 'it prints nothing, so it shows nothing');
    });
});

test('what a shipped fragment prints is written where it always runs', async () => {
  // bpftrace refuses a program that prints a map of which it finds no use: without a source, say.
  const { fragments } = await readCatalog(path.join(packageRoot, 'bpf'));
  for (const { name, lines, additions, prints } of fragments) {
    const always = lines.filter((_, index) =>
      additions.every(({ optional, start, end }) => !optional || index < start || index >= end),
    );
    const code = always.map((line) => line.replace(/\/\/.*$/, '')).join('\n');
    for (const { map } of prints)
      assert.match(code, new RegExp(`${map}(?:\\[[^=]*\\])? = `), `${name} ${map}`);
  }
});

test('no tracepoint is in a list and also elsewhere', async () => {
  // bpftrace 0.17 attaches one of two such probes twice, and the other not at all.
  const { fragments } = await readCatalog(path.join(packageRoot, 'bpf'));
  const places = new Map<string, { readonly place: string; readonly listed: boolean }[]>();
  for (const { name, lines, probes } of fragments)
    for (const { kind, target, line } of probes) {
      if (kind !== 'tracepoint') continue;
      const listed = [lines[line - 1], lines[line - 2]].some((text) => /^\w+:[\w:]+,$/.test(text ?? ''));
      places.set(target, [...(places.get(target) ?? []), { place: `${name}.bt:${line}`, listed }]);
    }
  for (const [target, all] of places)
    if (all.some(({ listed }) => listed)) assert.equal(all.length, 1, `${target}: ${JSON.stringify(all)}`);
});
