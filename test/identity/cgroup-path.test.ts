import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUnitName, parseCgroupPath } from '../../src/identity/cgroup-path.js';

/**
 * Where a shape was found: a project with its file, a page, or a manual. Where the source is a rule (how a name is
 * composed), id and uid stand for what it fills in.
 */
const source = {
  cgroupUtil: 'systemd/systemd src/test/test-cgroup-util.c',
  nspawn: 'systemd/systemd units/systemd-nspawn@.service.in, src/nspawn/nspawn-cgroup.c',
  desktops: 'systemd.io/DESKTOP_ENVIRONMENTS',
  special: 'systemd.special(7)',
  runc: 'opencontainers/runc docs/systemd.md',
  dockerMetrics: 'docs.docker.com/engine/containers/runmetrics',
  cadvisor: 'google/cadvisor container/docker/utils/docker_test.go',
  kepler: 'sustainable-computing-io/kepler internal/resource/container_test.go',
  podman: 'containers/podman libpod/oci_conmon_linux.go, moveConmonToCgroup()',
  podmanParent: 'containers/podman libpod/container.go, the default cgroup parent',
  crio: 'cri-o/cri-o internal/config/cgmgr/cgroupfs.go',
  kubelet: 'kubernetes/kubernetes pkg/kubelet/cm/cgroup_manager_linux_test.go',
  staticPods: 'kubernetes/kubernetes pkg/kubelet/config/common.go, applyDefaults()',
  datadog: 'DataDog/dd-trace-go internal/container_linux_test.go',
  entityId: 'docs.rs/libdd-common, module entity_id',
  lxc: 'lxc/lxc src/lxc/cgroups/cgroup.h',
  lxcBefore: 'netdata/netdata collectors/cgroups.plugin/sys_fs_cgroup.c',
  ceems: 'ceems-dev/ceems pkg/collector/cgroup.go',
  nomad: 'hashicorp/nomad client/lib/cgroupslib/editor.go',
  none: 'a look-alike of ours',
} as const;

const id = '3f1b2c4d5e6f708192a3b4c5d6e7f8090a1b2c3d4e5f60718293a4b5c6d7e8f9';
const other = 'f'.repeat(64);
const uid = '0b9fba3e-8c2b-4f0e-9f65-9c2f7e0d3a11';
const underscored = uid.replaceAll('-', '_');
const user = '/user.slice/user-1000.slice/user@1000.service';
const pods = '/kubepods.slice/kubepods-burstable.slice';
const datadogId = '34dc0b5e626f2c5c4c5170e34b10e7654ce36f0fcd532739f4445baabea03376';

interface Shape {
  readonly path: string;
  readonly from: keyof typeof source;
  readonly unit?: string;
  readonly container?: string;
  readonly pod?: string;
}

const shapes: readonly Shape[] = [
  // systemd
  { from: 'special', path: '/' },
  { from: 'special', path: '/init.scope', unit: 'init.scope' },
  { from: 'special', path: '/system.slice', unit: 'system.slice' },
  { from: 'kepler', path: '/system.slice/ssh.service', unit: 'ssh.service' },
  { from: 'cgroupUtil', path: '/system.slice/foobar.service/sdfdsaf', unit: 'foobar.service' },
  { from: 'cgroupUtil', path: '/system.slice/getty@tty6.service/tty5', unit: 'getty@tty6.service' },
  {
    from: 'cgroupUtil',
    path: '/system.slice/system-waldo.slice/foobar.service/sdfdsaf',
    unit: 'foobar.service',
  },
  // Escaped, for it could be taken for a file of the cgroup file system.
  {
    from: 'cgroupUtil',
    path: '/system.slice/system-waldo.slice/_cpu.service/sdfdsaf',
    unit: 'cpu.service',
  },
  { from: 'cgroupUtil', path: '/user.slice/user-1006.slice', unit: 'user-1006.slice' },
  {
    from: 'cgroupUtil',
    path: '/user.slice/user-1000.slice/session-2.scope/foobar.service',
    unit: 'session-2.scope',
  },
  { from: 'cgroupUtil', path: '/session-3.scope', unit: 'session-3.scope' },
  { from: 'cgroupUtil', path: `${user}/server.service`, unit: 'server.service' },
  {
    from: 'cgroupUtil',
    path: `${user}/foobar.slice/foobar@pie.service`,
    unit: 'foobar@pie.service',
  },
  { from: 'special', path: `${user}/init.scope`, unit: 'user@1000.service' },
  { from: 'desktops', path: `${user}/app.slice`, unit: 'user@1000.service' },
  {
    from: 'desktops',
    path: `${user}/app.slice/app-gnome-org.gnome.Evince@12345.service`,
    unit: 'app-gnome-org.gnome.Evince@12345.service',
  },
  {
    from: 'cadvisor',
    path: '/system.slice/var-lib-docker-overlay-9f086b233ab7c786bf8b40b164680b658a8f00e94323868e288d6ce20bc92193-merged.mount',
    unit: 'var-lib-docker-overlay-9f086b233ab7c786bf8b40b164680b658a8f00e94323868e288d6ce20bc92193-merged.mount',
  },
  // machines
  {
    from: 'nspawn',
    path: '/machine.slice/systemd-nspawn@web.service/payload/system.slice/nginx.service',
    unit: 'systemd-nspawn@web.service',
  },
  {
    from: 'nspawn',
    path: '/machine.slice/systemd-nspawn@web.service/supervisor',
    unit: 'systemd-nspawn@web.service',
  },
  {
    from: 'ceems',
    path: '/machine.slice/machine-qemu\\x2d2\\x2dinstance\\x2d00000001.scope/libvirt',
    unit: 'machine-qemu\\x2d2\\x2dinstance\\x2d00000001.scope',
  },
  {
    from: 'ceems',
    path: '/system.slice/slurmstepd.scope/job_211/step_extern/user/task_0',
    unit: 'slurmstepd.scope',
  },
  // runc and docker: by systemd and by cgroupfs, rootless, one in another
  { from: 'runc', path: `/system.slice/runc-${id}.scope`, unit: `runc-${id}.scope`, container: id },
  {
    from: 'runc',
    path: `${user}/user.slice/docker-${id}.scope`,
    unit: `docker-${id}.scope`,
    container: id,
  },
  { from: 'dockerMetrics', path: `/docker/${id}`, container: id },
  {
    from: 'dockerMetrics',
    path: `/system.slice/docker-${id}.scope`,
    unit: `docker-${id}.scope`,
    container: id,
  },
  {
    from: 'cadvisor',
    path: '/system.slice/docker-72e5a5ff5eef3c4222a6551b992b9360a99122f77d2229783f0ee0946dfd800e.scope',
    unit: 'docker-72e5a5ff5eef3c4222a6551b992b9360a99122f77d2229783f0ee0946dfd800e.scope',
    container: '72e5a5ff5eef3c4222a6551b992b9360a99122f77d2229783f0ee0946dfd800e',
  },
  { from: 'datadog', path: `/docker/${datadogId}.scope`, container: datadogId },
  { from: 'kepler', path: `/containerd/${id}`, container: id },
  // podman, and its monitor
  {
    from: 'kepler',
    path: `/machine.slice/libpod-${id}.scope/container`,
    unit: `libpod-${id}.scope`,
    container: id,
  },
  {
    from: 'kepler',
    path: `${user}/user.slice/libpod-${id}.scope/container`,
    unit: `libpod-${id}.scope`,
    container: id,
  },
  {
    from: 'kepler',
    path: `/system.slice/kepler.service/libpod-payload-${id}`,
    unit: 'kepler.service',
    container: id,
  },
  { from: 'podmanParent', path: `/libpod_parent/libpod-${id}`, container: id },
  {
    from: 'podman',
    path: `/machine.slice/libpod-conmon-${id}.scope`,
    unit: `libpod-conmon-${id}.scope`,
  },
  // Kubernetes by systemd
  {
    from: 'kepler',
    path: `${pods}/kubepods-burstable-pod${underscored}.slice/crio-${id}.scope`,
    unit: `crio-${id}.scope`,
    container: id,
    pod: uid,
  },
  {
    from: 'entityId',
    path: `${pods}/kubepods-burstable-pod2d3da189_6407_48e3_9ab6_78188d75e609.slice/docker-${id}.scope`,
    unit: `docker-${id}.scope`,
    container: id,
    pod: '2d3da189-6407-48e3-9ab6-78188d75e609',
  },
  {
    from: 'kubelet',
    path: '/BestEffort.slice/BestEffort-pod6c1a4e95_6bb6_11e6_bc26_28d2444e470d.slice',
    unit: 'BestEffort-pod6c1a4e95_6bb6_11e6_bc26_28d2444e470d.slice',
    pod: '6c1a4e95-6bb6-11e6-bc26-28d2444e470d',
  },
  {
    from: 'kepler',
    path: `/system.slice/containerd.service/kubepods-besteffort-pod${underscored}.slice:cri-containerd:${id}`,
    unit: 'containerd.service',
    container: id,
    pod: uid,
  },
  {
    from: 'kepler',
    path: `/system.slice/docker-${other}.scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod${underscored}.slice/cri-containerd-${id}.scope`,
    unit: `docker-${other}.scope`,
    container: id,
    pod: uid,
  },
  {
    from: 'kepler',
    path: `/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod${underscored}.slice/cri-containerd-${id}.scope`,
    unit: `cri-containerd-${id}.scope`,
    container: id,
    pod: uid,
  },
  // Kubernetes by cgroupfs; without a class of service a pod is guaranteed
  { from: 'kepler', path: `/kubepods/burstable/pod${uid}/${id}`, container: id, pod: uid },
  { from: 'kepler', path: `/kubelet/kubepods/besteffort/pod${uid}/${id}`, container: id, pod: uid },
  {
    from: 'staticPods',
    path: `/kubepods/burstable/pod${'ab'.repeat(16)}/${id}`,
    container: id,
    pod: 'ab'.repeat(16),
  },
  {
    from: 'entityId',
    path: '/kubepods/besteffort/pode9b90526-f47d-11e8-b2a5-080027b9f4fb/15aa6e53-b09a-40c7-8558-c6c31e36c88a',
    container: '15aa6e53-b09a-40c7-8558-c6c31e36c88a',
    pod: 'e9b90526-f47d-11e8-b2a5-080027b9f4fb',
  },
  { from: 'crio', path: `/kubepods/pod${uid}/crio-${id}`, container: id, pod: uid },
  { from: 'crio', path: `/kubepods/pod${uid}/crio-conmon-${id}`, pod: uid },
  // ECS, Fargate before and since 1.4, Cloud Foundry, Nomad
  {
    from: 'entityId',
    path: `/ecs/haissam-ecs-classic/5a0d5ceddf6c44c1928d367a815d890f/${id}`,
    container: id,
  },
  { from: 'datadog', path: `/ecs/55091c13-b8cf-4801-b527-f4601742204d/${id}`, container: id },
  {
    from: 'datadog',
    path: '/ecs/34dc0b5e626f2c5c4c5170e34b10e765-1234567890',
    container: '34dc0b5e626f2c5c4c5170e34b10e765-1234567890',
  },
  {
    from: 'datadog',
    path: '/system.slice/garden.service/garden/6f265890-5165-7fab-6b52-18d1',
    unit: 'garden.service',
    container: '6f265890-5165-7fab-6b52-18d1',
  },
  {
    from: 'nomad',
    path: `/nomad.slice/share.slice/${uid}.redis.scope`,
    unit: `${uid}.redis.scope`,
  },
  // LXC
  { from: 'lxc', path: '/lxc.payload.web', container: 'web' },
  { from: 'lxc', path: '/lxc.payload.my.box/system.slice/cron.service', container: 'my.box' },
  { from: 'lxc', path: '/lxc.monitor.web' },
  { from: 'lxcBefore', path: '/lxc.payload/web/init.scope', container: 'web' },
  { from: 'lxcBefore', path: '/lxc/101/ns/system.slice/cron.service', container: '101' },
  // look-alikes
  { from: 'none', path: `/docker/${id}/system.slice/nginx.service`, container: id },
  { from: 'none', path: `/docker/${other}/docker/${id}`, container: id },
  { from: 'none', path: `/system.slice/pod-${uid}.service`, unit: `pod-${uid}.service` },
  { from: 'none', path: `/docker/${id.slice(1)}` },
  { from: 'none', path: `/docker/${id}0` },
  { from: 'none', path: `/${uid}` },
  { from: 'none', path: `/lxc` },
  {
    from: 'none',
    path: `/machine.slice/machine-libpod_pod_${id}.slice`,
    unit: `machine-libpod_pod_${id}.slice`,
  },
];

for (const { path, from, unit, container, pod } of shapes) {
  test(`cgroup ${path} (${source[from]})`, () => {
    assert.deepEqual(parseCgroupPath(path), { path, unit, containerId: container, podUid: pod });
  });
}

test('control characters in a path come out escaped', () => {
  const parsed = parseCgroupPath('/system.slice/a\x1b[0m.service');
  assert.equal(parsed.path, '/system.slice/a\\x1b[0m.service');
  assert.equal(parsed.unit, 'a\\x1b[0m.service');
});

test('a unit has a suffix of those that have a cgroup, no slash and nothing unsafe', () => {
  for (const unit of ['nginx.service', 'a\\x2db.slice', 'session-3.scope', 'user@1000.service', 'app.slice'])
    assert.equal(isUnitName(unit), true, unit);
  for (const text of [
    'nginx',
    '.service',
    'a/b.service',
    'a\nb.service',
    'x.timer',
    `${'x'.repeat(250)}.slice`,
  ])
    assert.equal(isUnitName(text), false, text);
});
