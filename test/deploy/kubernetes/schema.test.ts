/** The check of manifests finds what it is there for. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../../src/package-root.js';
import { buildKustomization, type Manifest } from './build.js';
import { faultsOf } from './schema.js';

const daemonSet = (): Manifest =>
  buildKustomization(path.join(packageRoot, 'deploy/kubernetes/base')).find(
    ({ kind }) => kind === 'DaemonSet',
  )!;

test('a field that a kind does not have is a fault, wherever it stands', () => {
  const typo = daemonSet();
  typo.spec.template.spec.tolerationz = [];
  typo.spec.template.spec.containers[0].securityContext.readOnlyRootFileSystem = true;
  typo.spec.template.spec.containers[0].volumeMounts[1].readonly = true;
  assert.deepEqual(faultsOf(typo), [
    '/spec/template/spec/tolerationz: DaemonSet has no such field',
    '/spec/template/spec/containers/0/securityContext/readOnlyRootFileSystem: DaemonSet has no such field',
    '/spec/template/spec/containers/0/volumeMounts/1/readonly: DaemonSet has no such field',
  ]);
});

test('so are a value of a wrong type, and a field that is missing', () => {
  const wrong = daemonSet();
  wrong.spec.minReadySeconds = 'soon';
  assert.match(faultsOf(wrong).join(), /minReadySeconds/);
  const missing = daemonSet();
  delete missing.spec.selector;
  assert.match(faultsOf(missing).join(), /selector/);
});

test('so is a kind without a schema', () => {
  assert.deepEqual(faultsOf({ apiVersion: 'apps/v1', kind: 'DaemonSat' }), [
    'no schema at hand for apps/v1 DaemonSat',
  ]);
});
