import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { accepted, problemWith, settings, valueFromText } from '../../src/config/settings.js';
import { version } from '../../src/config/version.js';

/** From test/config, compiled or bundled beside a package.json. */
const packageJson = (): { version: string } => {
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      return JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as { version: string };
    } catch {}
  }
  throw new Error('package.json not found');
};

test('the version is that of package.json', () => {
  assert.equal(version, packageJson().version);
});

test('every setting explains itself and has a default its schema accepts', () => {
  for (const { path, schema } of settings.values()) {
    assert.match(schema.description ?? '', /\.$/, path);
    assert.doesNotMatch(accepted(schema), /undefined/, path);
    assert.equal(problemWith(schema, schema.default), undefined, path);
  }
});

test('no two settings share a flag or a variable', () => {
  const all = [...settings.values()];
  assert.equal(new Set(all.map(({ flag }) => flag)).size, all.length);
  assert.equal(new Set(all.map(({ variable }) => variable)).size, all.length);
});

test('names in the sources follow from the path', () => {
  const setting = settings.get('web.listen_address')!;
  assert.equal(setting.flag, 'web.listen-address');
  assert.equal(setting.variable, 'MMAPLOCKD_WEB_LISTEN_ADDRESS');
  assert.equal(settings.get('allow_second')!.flag, 'allow-second');
});

test('a flag may have a name of its own; the other names stay those of the path', () => {
  for (const name of ['reads', 'retries']) {
    const setting = settings.get(`probes.${name}`)!;
    assert.deepEqual([setting.section, setting.flag], ['probes', name]);
    assert.equal(setting.variable, `MMAPLOCKD_PROBES_${name.toUpperCase()}`);
  }
});

test('text becomes the type of the setting, or stays text to be refused', () => {
  const read = (path: string, ...texts: string[]) => valueFromText(settings.get(path)!.schema, texts);
  assert.deepEqual(read('probes.disable', 'a, b', 'c'), ['a', 'b', 'c']);
  assert.deepEqual(read('probes.disable', ''), []);
  assert.equal(read('allow_second', 'true'), true);
  assert.equal(read('allow_second', 'yes'), 'yes');
  assert.equal(read('limits.map_keys', '1024'), 1024);
  for (const text of ['', 'NaN', 'Infinity', '0x400', '1e3', '1 024']) {
    assert.equal(read('limits.map_keys', text), text);
  }
});
