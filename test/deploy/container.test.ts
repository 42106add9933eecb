/** The image cannot be built here, so its recipe is read: what it copies exists, and what it names is named. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/package-root.js';

const read = (file: string): string => readFileSync(path.join(packageRoot, file), 'utf8');

interface Instruction {
  readonly word: string;
  readonly rest: string;
  /** The stage it stands in; undefined before the first. */
  readonly stage: string | undefined;
}

/** The instructions of a Containerfile, continued lines joined. */
const instructionsOf = (text: string): Instruction[] => {
  let stage: string | undefined;
  return text
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, word = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
      if (word === 'FROM') stage = / AS (\S+)$/.exec(rest)?.[1] ?? '';
      return { word, rest, stage };
    });
};

const instructions = instructionsOf(read('deploy/container/Containerfile'));
const all = (word: string): string[] =>
  instructions.filter((one) => one.word === word).map(({ rest }) => rest);
const stages = instructions.filter(({ word }) => word === 'FROM').map(({ stage }) => stage);
const defaults = new Map(all('ARG').map((rest) => rest.split('=') as [string, string | undefined]));

const known = [
  'ARG',
  'CMD',
  'COPY',
  'ENTRYPOINT',
  'ENV',
  'EXPOSE',
  'FROM',
  'LABEL',
  'RUN',
  'USER',
  'WORKDIR',
];

test('each line is an instruction', () => {
  for (const { word, rest } of instructions) assert.ok(known.includes(word), `${word} ${rest}`);
});

test('each stage has a name, and who copies or mounts from one names one', () => {
  assert.deepEqual(stages, ['package', 'mmaplockd']);
  const from = instructions.flatMap(({ rest }) =>
    Array.from(rest.matchAll(/[ ,-]from=([^\s,]+)/g), ([, name]) => name),
  );
  assert.deepEqual(from, ['package']);
});

test('each base image is an argument with a tag that names a release', () => {
  const bases = all('FROM').map((rest) => /\$\{(\w+)\}/.exec(rest)?.[1] ?? rest);
  for (const base of bases) {
    const image = defaults.get(base);
    assert.match(image ?? '', /^[a-z]+:[a-z0-9.-]*trixie[a-z0-9.-]*$/, base);
    assert.doesNotMatch(image ?? '', /latest/);
  }
});

const ignored = read('deploy/container/Containerfile.dockerignore')
  .split('\n')
  .filter((line) => /^[^#]/.test(line));

test('all that is copied exists, and the build may see it', () => {
  const sources = all('COPY').flatMap((rest) => rest.split(/\s+/).slice(0, -1));
  assert.ok(sources.length > 5);
  assert.equal(ignored[0], '*');
  for (const source of sources) {
    assert.ok(existsSync(path.join(packageRoot, source)), `${source} does not exist`);
    assert.ok(ignored.includes(`!${source}`), `${source} is kept from the build`);
  }
  assert.equal(ignored.length - 1, sources.length, 'more is sent to the build than it copies');
});

test('the package is made by the program that makes it for hosts', () => {
  const [, script = '', flags = ''] =
    all('RUN')
      .map((rest) => /^node (\S+)(.*)$/.exec(rest))
      .find(Boolean) ?? [];
  const program = read(script);
  for (const [, flag] of flags.matchAll(/--([a-z]+) /g))
    assert.match(program, new RegExp(`\\b${flag}: \\{ type:`));
});

test('the entry is what the package installs, with no shell between', () => {
  const wrapper = read('deploy/debian/mmaplockd');
  const entry: string[] = JSON.parse(all('ENTRYPOINT')[0]!);
  assert.ok(wrapper.includes(`exec ${entry.join(' ')} "$@"`), wrapper);
  assert.deepEqual(JSON.parse(all('CMD')[0]!), ['run']);
  assert.deepEqual(all('USER'), ['0:0']);
});

test('the version is that of the package', () => {
  const { version } = JSON.parse(read('package.json'));
  assert.equal(defaults.get('VERSION'), version);
  assert.match(all('LABEL').join(' '), /image\.version="\$\{VERSION\}"/);
  for (const [, tag] of read('deploy/container/Containerfile').matchAll(/-t mmaplockd:(\S+)/g))
    assert.equal(tag, version);
});
