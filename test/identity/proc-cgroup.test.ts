import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identifyMemberships, isLegacy, parseProcCgroup } from '../../src/identity/proc-cgroup.js';

const id = '3f1b2c4d5e6f708192a3b4c5d6e7f8090a1b2c3d4e5f60718293a4b5c6d7e8f9';
const identify = (...lines: readonly string[]) =>
  identifyMemberships(parseProcCgroup(lines.map((line) => `${line}\n`).join('')));

test('each line is a hierarchy with its controllers and its path', () => {
  assert.deepEqual(parseProcCgroup('4:cpu,cpuacct:/a\n1:name=systemd:/b\n0::/c\n'), [
    { controllers: ['cpu', 'cpuacct'], path: '/a' },
    { controllers: ['name=systemd'], path: '/b' },
    { controllers: [], path: '/c' },
  ]);
});

test('a path may hold colons, and spaces', () => {
  const [membership] = parseProcCgroup(`0::/a.slice/a-pod.slice:cri-containerd:${id}/b c\n`);
  assert.equal(membership?.path, `/a.slice/a-pod.slice:cri-containerd:${id}/b c`);
});

test('a v2 cgroup that was removed is the one it was; a v1 cgroup of such a name is called so', () => {
  const paths = parseProcCgroup('2:pids:/x (deleted)\n0::/system.slice/x.service (deleted)\n').map(
    ({ path }) => path,
  );
  assert.deepEqual(paths, ['/x (deleted)', '/system.slice/x.service']);
});

test('outside the cgroup namespace of the reader, what is below the common parent tells as much', () => {
  assert.equal(identify('0::/../../system.slice/ssh.service')?.unit, 'ssh.service');
  assert.equal(identify('0::/../..'), undefined);
  assert.equal(parseProcCgroup('0::/..foo/bar\n')[0]?.path, '/..foo/bar');
});

test('what is no such line is left out', () => {
  assert.deepEqual(parseProcCgroup(''), []);
  assert.deepEqual(parseProcCgroup('garbage\n:::\nx:y:/z\n0::relative\n'), []);
});

test('v1 hierarchies are noticed, alone or beside v2', () => {
  assert.equal(isLegacy(parseProcCgroup('0::/init.scope\n')), false);
  assert.equal(isLegacy(parseProcCgroup('1:name=systemd:/\n0::/\n')), true);
});

test('the v2 hierarchy tells the unit before that of systemd, and that before the others', () => {
  const lines = ['3:pids:/c.slice/c.service', '1:name=systemd:/b.slice/b.service'];
  assert.equal(identify(...lines, '0::/a.slice/a.service')?.unit, 'a.service');
  assert.equal(identify(...lines, '0::/')?.unit, 'b.service');
  assert.equal(identify('12:cpuset:/d.service', '3:pids:/c.slice/c.service')?.unit, 'c.service');
});

test('a slice tells less than the unit of another hierarchy', () => {
  const lines = ['3:pids:/system.slice/ssh.service', '1:name=systemd:/system.slice'];
  assert.equal(identify(...lines)?.unit, 'ssh.service');
});

// sustainable-computing-io/kepler internal/resource/container_test.go, the line of memory
test('a container that only a v1 hierarchy names is found, with the unit of systemd', () => {
  const uid = '0043435f_1854_4327_b76b_730f681a781d';
  const found = identify(
    `13:memory:/system.slice/containerd.service/kubepods-besteffort-pod${uid}.slice:cri-containerd:${id}`,
    '1:name=systemd:/system.slice/containerd.service',
    '0::/system.slice/containerd.service',
  );
  assert.deepEqual([found?.unit, found?.containerId], ['containerd.service', id]);
  assert.equal(found?.podUid, uid.replaceAll('_', '-'));
});

test('a container by cgroupfs takes the unit of its runtime from the hierarchy of systemd', () => {
  const found = identify(`4:memory:/docker/${id}`, '0::/system.slice/docker.service');
  assert.deepEqual([found?.path, found?.unit, found?.containerId], [`/docker/${id}`, 'docker.service', id]);
});

// DataDog/dd-trace-go internal/container_linux_test.go, some of the lines
test('Cloud Foundry on v1: some lines tell the unit, some do not', () => {
  const found = identify(
    '12:memory:/system.slice/garden.service/garden/6f265890-5165-7fab-6b52-18d1',
    '11:rdma:/',
    '10:freezer:/garden/6f265890-5165-7fab-6b52-18d1',
    '1:name=systemd:/system.slice/garden.service/garden/6f265890-5165-7fab-6b52-18d1',
  );
  assert.deepEqual([found?.unit, found?.containerId], ['garden.service', '6f265890-5165-7fab-6b52-18d1']);
});

// A page on Mesos 1.0, "Run Mesos Container with Image", some of the lines
test('Mesos on v1: the task is in the hierarchies it limits, and the agent elsewhere', () => {
  const task = '168b386b-893f-478e-bbf1-209482231b88';
  const found = identify(
    '10:blkio:/user.slice/user-0.slice/session-2.scope',
    `9:cpu,cpuacct:/mesos/${task}`,
    '8:perf_event:/',
    `6:memory:/mesos/${task}`,
    '3:pids:/user.slice/user-0.slice/session-2.scope',
    '1:name=systemd:/mesos_executors.slice',
  );
  assert.deepEqual([found?.unit, found?.containerId], ['mesos_executors.slice', task]);
});

test('nobody is told by the root of every hierarchy', () => {
  assert.equal(identify('2:pids:/', '1:name=systemd:/', '0::/'), undefined);
});

test('a path of no known form is still told', () => {
  assert.equal(identify('4:memory:/process_api/eb86', '0::/')?.path, '/process_api/eb86');
});
