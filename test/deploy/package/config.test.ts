/** /etc/mmaplockd/config.yaml as a manual of itself: it tells every setting, and is one that the daemon takes. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { readConfigFile } from '../../../src/config/file.js';
import { loadConfig } from '../../../src/config/load.js';
import { accepted, settings } from '../../../src/config/settings.js';
import { packageRoot } from '../../../src/package-root.js';

const file = path.join(packageRoot, 'deploy/debian/config.yaml');
const manual = readFileSync(file, 'utf8');

let configManual: (list: unknown[], words: typeof accepted, set?: Record<string, unknown>) => string;
let packaged: Record<string, unknown>;
before(async () => {
  ({ configManual, packaged } = await import(
    pathToFileURL(path.join(packageRoot, 'deploy/package/config-manual.mjs')).href
  ));
});

/** What the head of the file tells people to do. */
const uncommented = manual.replace(/^#(?=\S|\s{2}\S)/gm, '');

const inFile = <T>(text: string, use: (file: string) => T): T => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mmaplockd-config-'));
  try {
    const copy = path.join(folder, 'config.yaml');
    writeFileSync(copy, text);
    return use(copy);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

test('as it is installed it sets the paths of the package, and nothing else', () => {
  const given = Object.fromEntries(readConfigFile(file).map(({ path: key, value }) => [key, value]));
  assert.deepEqual(given, packaged);
  loadConfig({ file });
});

test('without its comment signs it sets everything, to the defaults', () => {
  const given = inFile(uncommented, readConfigFile);
  assert.deepEqual(given.map(({ path: key }) => key).sort(), [...settings.keys()].sort());
  for (const { path: key, value } of given)
    if (!Object.hasOwn(packaged, key)) assert.deepEqual(value, settings.get(key)!.schema.default, key);
  inFile(uncommented, (copy) => loadConfig({ file: copy }));
});

test('each setting is told with its description, what it accepts, its flag and its variable', () => {
  const said = manual.replaceAll(/\n# /g, ' ');
  for (const { path: key, flag, variable, schema } of settings.values()) {
    assert.ok(said.includes(schema.description!), key);
    assert.ok(said.includes(`Accepts ${accepted(schema)}.`), key);
    assert.ok(said.includes(`Flag --${flag}, environment ${variable}.`), key);
  }
});

test('a section appended to it is no second one, unless the package itself sets something there', () => {
  const ours = new Set(Object.keys(packaged).map((key) => key.split('.')[0]));
  assert.ok(!ours.has('log') && !ours.has('probes'));
  const config = inFile(`${manual}\nlog:\n  level: debug\n`, (copy) => loadConfig({ file: copy }));
  assert.equal(config.log.level, 'debug');
});

test('the package cannot set what is no setting', () => {
  assert.throws(
    () => configManual([...settings.values()], accepted, { 'web.sokket': '' }),
    /no setting web\.sokket/,
  );
});

test('a new setting is in it at once', () => {
  const added = {
    path: 'log.colour',
    section: 'log',
    flag: 'log.colour',
    variable: 'MMAPLOCKD_LOG_COLOUR',
    schema: {
      type: 'string',
      enum: ['on', 'off'],
      default: 'off',
      description: 'Whether lines have colours.',
    },
  };
  const text = configManual([...settings.values(), added], accepted);
  assert.match(
    text,
    /# Whether lines have colours\.\n# Accepts one of on, off\. Default: "off"\.\n# Flag .*\n# {2}colour: "off"\n/,
  );
});
