import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCgroupPath } from '../../src/identity/cgroup-path.js';

const id = '3f1b2c4d5e6f708192a3b4c5d6e7f8090a1b2c3d4e5f60718293a4b5c6d7e8f9';
const other = 'f'.repeat(64);
const uid = '0b9fba3e-8c2b-4f0e-9f65-9c2f7e0d3a11';
const underscored = uid.replaceAll('-', '_');
const user = '/user.slice/user-1000.slice/user@1000.service';

/** Path, unit, container, pod. */
const cases: [string, string | undefined, string | undefined, string | undefined][] = [
  ['/', undefined, undefined, undefined],
  ['/init.scope', 'init.scope', undefined, undefined],
  ['/system.slice', 'system.slice', undefined, undefined],
  ['/system.slice/nginx.service', 'nginx.service', undefined, undefined],
  ['/system.slice/system-getty.slice/getty@tty1.service', 'getty@tty1.service', undefined, undefined],
  ['/system.slice/_cpu.service', 'cpu.service', undefined, undefined],
  ['/system.slice/a\\x2db.service/worker/1', 'a\\x2db.service', undefined, undefined],
  ['/system.slice/docker.socket', 'docker.socket', undefined, undefined],
  ['/user.slice/user-1000.slice/session-3.scope', 'session-3.scope', undefined, undefined],
  [`${user}/app.slice/app-firefox-42.scope`, 'app-firefox-42.scope', undefined, undefined],
  [`${user}/init.scope`, 'user@1000.service', undefined, undefined],
  [`${user}/app.slice`, 'user@1000.service', undefined, undefined],
  // docker and podman, by systemd and by cgroupfs
  [`/system.slice/docker-${id}.scope`, `docker-${id}.scope`, id, undefined],
  [`/docker/${id}`, undefined, id, undefined],
  [`/docker/${id}/system.slice/nginx.service`, undefined, id, undefined],
  [`/system.slice/docker-${id}.scope/system.slice/nginx.service`, `docker-${id}.scope`, id, undefined],
  [`/docker/${other}/docker/${id}`, undefined, id, undefined],
  [`/machine.slice/libpod-${id}.scope/container`, `libpod-${id}.scope`, id, undefined],
  [`/machine.slice/libpod-conmon-${id}.scope`, `libpod-conmon-${id}.scope`, undefined, undefined],
  [`${user}/user.slice/libpod-${id}.scope`, `libpod-${id}.scope`, id, undefined],
  [`/libpod_parent/libpod-${id}`, undefined, id, undefined],
  // Kubernetes
  [
    `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${underscored}.slice/cri-containerd-${id}.scope`,
    `cri-containerd-${id}.scope`,
    id,
    uid,
  ],
  [
    `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${underscored}.slice/crio-${id}.scope`,
    `crio-${id}.scope`,
    id,
    uid,
  ],
  [
    `/kubepods.slice/kubepods-pod${underscored}.slice/crio-conmon-${id}.scope`,
    `crio-conmon-${id}.scope`,
    undefined,
    uid,
  ],
  [`/kubepods.slice/kubepods-pod${underscored}.slice`, `kubepods-pod${underscored}.slice`, undefined, uid],
  [`/kubepods/besteffort/pod${uid}/${id}`, undefined, id, uid],
  [`/kubepods/pod${uid}/${id}`, undefined, id, uid],
  [`/kubepods/burstable/pod${'ab'.repeat(16)}/${id}`, undefined, id, 'ab'.repeat(16)],
  [`/system.slice/kubepods-burstable-pod${underscored}.slice:cri-containerd:${id}`, 'system.slice', id, uid],
  [
    `/docker/${other}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod${underscored}.slice/cri-containerd-${id}.scope`,
    undefined,
    id,
    uid,
  ],
  // LXC
  ['/lxc/web', undefined, 'web', undefined],
  ['/lxc/101/ns/system.slice/cron.service', undefined, '101', undefined],
  ['/lxc.payload/web/init.scope', undefined, 'web', undefined],
  ['/lxc.payload.my.box/system.slice/cron.service', undefined, 'my.box', undefined],
  ['/lxc.monitor.web', undefined, undefined, undefined],
  // look-alikes
  [`/system.slice/podman.service`, 'podman.service', undefined, undefined],
  [`/system.slice/pod-${uid}.service`, `pod-${uid}.service`, undefined, undefined],
  [`/docker/${id.slice(1)}`, undefined, undefined, undefined],
  [`/docker/${id}0`, undefined, undefined, undefined],
  [`/machine.slice/machine-libpod_pod_${id}.slice`, `machine-libpod_pod_${id}.slice`, undefined, undefined],
];

for (const [path, unit, container_id, pod_uid] of cases) {
  test(`cgroup ${path}`, () => {
    assert.deepEqual(parseCgroupPath(path), { path, unit, container_id, pod_uid });
  });
}

test('control characters in a path come out escaped', () => {
  const parsed = parseCgroupPath('/system.slice/a\x1b[0m.service');
  assert.equal(parsed.path, '/system.slice/a\\x1b[0m.service');
  assert.equal(parsed.unit, 'a\\x1b[0m.service');
});
