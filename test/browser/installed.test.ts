/** What the tests of this folder are skipped without is installed for them: or nobody would look, and nothing would fail. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../live/support/daemon.js';

/** What no package brings. */
const ofTheHost = ['root', 'tracing'];

test('`npm run test:page` installs every program that a test here needs', async () => {
  const folder = path.join(packageRoot, 'test/browser');
  const needed = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => readFileSync(path.join(folder, file), 'utf8'))
    .flatMap((text) => Array.from(text.matchAll(/\blacking\(([^)]*)\)/g), ([, needs = '']) => needs))
    .flatMap((needs) => Array.from(needs.matchAll(/'(\w+)'/g), ([, need]) => need as string))
    .filter((need) => !ofTheHost.includes(need));
  assert.ok(needed.length > 5, `${needed.length} needs`);
  const { toolsToLook, toolsToRun, toolsToTest } = (await import(
    pathToFileURL(path.join(packageRoot, 'deploy/bootstrap/tools.mjs')).href
  )) as Record<string, readonly { readonly name: string }[]>;
  const installed = [toolsToLook, toolsToRun, toolsToTest].flatMap((tools) => tools ?? []);
  const names = new Set(installed.map(({ name }) => name));
  assert.deepEqual(
    [...new Set(needed)].filter((need) => !names.has(need)),
    [],
  );
});
