/** What kubernetes-build.ts makes of our folders is what kubectl makes of them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { packageRoot } from '../../src/host.js';
import { buildKustomization, type Manifest } from './kubernetes-build.js';

const folders = ['base', 'monitoring', 'overlays/example'];
const hasKubectl = spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status === 0;
const skip = hasKubectl
  ? false
  : 'kubectl is not on PATH; kubernetes.test.ts checks the same folders without it';

const byName = (objects: readonly Manifest[]): Record<string, Manifest> =>
  Object.fromEntries(objects.map((object) => [`${object.kind} ${object.metadata.name}`, object]));

/** Without the hashes that kubectl adds to the names of generated objects. */
const kubectlBuild = (folder: string, generated: readonly string[]): Manifest[] => {
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const text = generated.reduce(
    (sofar, name) => sofar.replaceAll(new RegExp(`name: ${name}-[a-z0-9]{10}$`, 'gm'), `name: ${name}`),
    stdout,
  );
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
};

for (const name of folders)
  test(`kubectl makes the same of ${name}`, { skip }, () => {
    const folder = path.join(packageRoot, 'deploy/kubernetes', name);
    const ours = buildKustomization(folder);
    const generated = ours.filter(({ kind }) => kind === 'ConfigMap').map(({ metadata }) => metadata.name);
    assert.deepEqual(byName(kubectlBuild(folder, generated)), byName(ours));
  });
