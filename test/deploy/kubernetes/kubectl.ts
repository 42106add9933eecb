/** What kubectl makes of a folder, where it is installed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { parseAllDocuments } from 'yaml';
import type { Manifest } from './build.js';

export const hasKubectl = spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status === 0;

/** The objects, without the hashes that kubectl adds to the names in `generated`. */
export const kubectlBuild = (folder: string, generated: readonly string[]): Manifest[] => {
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const text = generated.reduce(
    (sofar, name) => sofar.replaceAll(new RegExp(`name: ${name}-[a-z0-9]{10}$`, 'gm'), `name: ${name}`),
    stdout,
  );
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
};
