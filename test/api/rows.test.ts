import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identityOf } from '../../src/api/rows.js';
import { parseCgroupPath } from '../../src/identity/cgroup-path.js';
import { FakeDaemon } from '../support/daemon.js';

test('an identity is asked for by cgroup and by who was seen in it', () => {
  const { view } = new FakeDaemon();
  const asked: unknown[] = [];
  const cgroup = (...question: unknown[]) => {
    asked.push(question);
    return parseCgroupPath('/system.slice/a.service');
  };
  const found = identityOf({ ...view, cgroup }, '7', { name: 'a', pid: 10 });
  assert.deepEqual(asked, [['7', { name: 'a', pid: 10 }]]);
  assert.deepEqual(found, { unit: 'a.service', container_id: null, pod_uid: null });
});

test('of nobody nothing is known, and nothing is asked', () => {
  const { view } = new FakeDaemon();
  const cgroup = () => assert.fail('asked');
  assert.deepEqual(identityOf({ ...view, cgroup }, undefined), {
    unit: null,
    container_id: null,
    pod_uid: null,
  });
});
