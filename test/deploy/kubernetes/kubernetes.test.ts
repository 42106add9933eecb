/** The manifests: valid, of one piece, and as careful as they say. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { loadConfig } from '../../../src/config/load.js';
import { settings } from '../../../src/config/settings.js';
import { packageRoot } from '../../../src/package-root.js';
import { buildKustomization, type Manifest } from './build.js';
import { hasKubectl, kubectlBuild } from './kubectl.js';
import { faultsOf } from './schema.js';

const version = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')).version;
const build = (folder: string): Manifest[] =>
  buildKustomization(path.join(packageRoot, 'deploy/kubernetes', folder));
const base = build('base');
const monitoring = build('monitoring');
const example = build('overlays/example');

const temporary = mkdtempSync(path.join(tmpdir(), 'mmaplockd-kubernetes-'));
after(() => rmSync(temporary, { recursive: true }));

const one = (objects: readonly Manifest[], kind: string): Manifest => {
  const found = objects.filter((object) => object.kind === kind);
  assert.equal(found.length, 1, `${found.length} of kind ${kind}`);
  return found[0]!;
};
const podOf = (objects: readonly Manifest[]) => one(objects, 'DaemonSet').spec.template.spec;
const containerOf = (objects: readonly Manifest[]) => podOf(objects).containers[0];
const named = (objects: readonly Manifest[], kind: string): string[] =>
  objects.filter((object) => object.kind === kind).map(({ metadata }) => metadata.name);

for (const [name, objects] of Object.entries({ base, monitoring, example }))
  test(`${name}: each object is valid, and none is there twice`, () => {
    for (const object of objects)
      assert.deepEqual(faultsOf(object), [], `${object.kind} ${object.metadata.name}`);
    const keys = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''} ${metadata.name}`);
    assert.deepEqual(
      keys.filter((key, index) => keys.indexOf(key) !== index),
      [],
    );
  });

const byName = (objects: readonly Manifest[]): Record<string, Manifest> =>
  Object.fromEntries(objects.map((object) => [`${object.kind} ${object.metadata.name}`, object]));

// A second opinion where there is one: all that must hold is tested without it.
if (!hasKubectl) console.log('kubectl is not on PATH: what it makes of the same folders is not compared');
else
  for (const [folder, objects] of Object.entries({ base, monitoring, 'overlays/example': example }))
    test(`kubectl makes the same of ${folder}`, () => {
      const theirs = kubectlBuild(
        path.join(packageRoot, 'deploy/kubernetes', folder),
        named(objects, 'ConfigMap'),
      );
      assert.deepEqual(byName(theirs), byName(objects));
    });

test('every selector finds the pods, and every port by its name', () => {
  const daemonSet = one(example, 'DaemonSet');
  const { labels } = daemonSet.spec.template.metadata;
  const selectors = {
    DaemonSet: daemonSet.spec.selector.matchLabels,
    NetworkPolicy: one(example, 'NetworkPolicy').spec.podSelector.matchLabels,
    PodMonitor: one(example, 'PodMonitor').spec.selector.matchLabels,
  };
  for (const [kind, selector] of Object.entries(selectors)) {
    assert.ok(Object.keys(selector).length > 0, kind);
    assert.deepEqual({ ...labels, ...selector }, labels, kind);
  }
  assert.ok(one(example, 'PodMonitor').spec.jobLabel in labels);

  const container = containerOf(example);
  const ports = container.ports.map(({ name }: { name: string }) => name);
  const asked = [
    ...['startupProbe', 'livenessProbe', 'readinessProbe'].map((probe) => container[probe].httpGet.port),
    ...one(example, 'PodMonitor').spec.podMetricsEndpoints.map(({ port }: { port: string }) => port),
    ...one(example, 'NetworkPolicy').spec.ingress[0].ports.map(({ port }: { port: string }) => port),
  ];
  for (const port of asked) assert.ok(ports.includes(port), `${port} is no port of the container`);
});

test('what the pod names is there', () => {
  const pod = podOf(base);
  assert.ok(named(base, 'ServiceAccount').includes(pod.serviceAccountName));
  assert.ok(named(base, 'PriorityClass').includes(pod.priorityClassName));
  const volumes = new Map<string, Record<string, { name: string }>>();
  for (const volume of pod.volumes) volumes.set(volume.name, volume);
  const mounted = containerOf(base).volumeMounts.map(({ name }: { name: string }) => name);
  assert.deepEqual([...mounted].sort(), [...volumes.keys()].sort());
  for (const { configMap } of volumes.values())
    if (configMap !== undefined) assert.ok(named(base, 'ConfigMap').includes(configMap.name));
  assert.ok(
    base.every(
      (object) => object.metadata.namespace === undefined || object.metadata.namespace === 'mmaplockd',
    ),
  );
});

test('the image is of this version, and no tag moves', () => {
  assert.equal(containerOf(base).image, `mmaplockd:${version}`);
  assert.equal(containerOf(example).image, `registry.example.com/mmaplockd:${version}`);
});

test('each configuration is one the daemon takes, served where the probes ask', () => {
  for (const [name, objects] of Object.entries({ base, example })) {
    const map = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'mmaplockd')!;
    const file = path.join(temporary, `${name}.yaml`);
    writeFileSync(file, map.data['config.yaml']);
    const config = loadConfig({ file });
    const { containerPort } = containerOf(objects).ports[0];
    assert.ok(config.web.listen_address.includes(`0.0.0.0:${containerPort}`), name);
    const mounts = containerOf(objects).volumeMounts;
    const writable = mounts.filter(({ readOnly }: { readOnly?: boolean }) => readOnly !== true);
    assert.ok(
      writable.some(({ mountPath }: { mountPath: string }) => mountPath === config.incidents.directory),
      `${name}: incidents go to a folder that cannot be written`,
    );
    const read = containerOf(objects).args.at(-1);
    assert.ok(mounts.some(({ mountPath }: { mountPath: string }) => read === `${mountPath}/config.yaml`));
  }
});

test('no variable of a Service is taken for a setting', () => {
  assert.equal(podOf(base).enableServiceLinks, false);
  const variables = new Set([...settings.values()].map(({ variable }) => variable));
  for (const { name } of containerOf(example).env ?? []) assert.ok(variables.has(name), name);
});

test('the daemon gets three capabilities and nothing to write to on the node', () => {
  const { securityContext } = containerOf(base);
  assert.deepEqual(securityContext.capabilities, { drop: ['ALL'], add: ['BPF', 'PERFMON', 'SYSLOG'] });
  assert.equal(securityContext.privileged, false);
  assert.equal(securityContext.allowPrivilegeEscalation, false);
  assert.equal(securityContext.readOnlyRootFilesystem, true);
  const pod = podOf(base);
  assert.equal(pod.automountServiceAccountToken, false);
  assert.equal(pod.hostNetwork, undefined);
  assert.equal(pod.securityContext.seccompProfile.type, 'RuntimeDefault');
  const ofHost = pod.volumes.filter(({ hostPath }: { hostPath?: object }) => hostPath !== undefined);
  assert.ok(ofHost.length > 0);
  for (const { name } of ofHost) {
    const mount = containerOf(base).volumeMounts.find(
      (candidate: { name: string }) => candidate.name === name,
    );
    assert.equal(mount.readOnly, true, name);
  }
  assert.deepEqual(
    base.filter(({ kind }) => /Role/.test(kind)),
    [],
    'it asks the API server for nothing',
  );
});

const buildWith = (folder: string, resources: string[], components: string[]): Manifest[] => {
  mkdirSync(folder);
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources,
    components,
  };
  writeFileSync(path.join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
  return buildKustomization(folder);
};

test('CAP_SYS_ADMIN comes as a component, without what Kubernetes holds to be contrary to it', () => {
  const folder = path.join(temporary, 'strict');
  const up = path.relative(folder, path.join(packageRoot, 'deploy/kubernetes'));
  const objects = buildWith(folder, [`${up}/base`], [`${up}/components/sys-admin`]);
  const { securityContext } = containerOf(objects);
  assert.deepEqual(securityContext.capabilities.add, ['BPF', 'PERFMON', 'SYSLOG', 'SYS_ADMIN']);
  assert.ok(!('allowPrivilegeEscalation' in securityContext));
  assert.deepEqual(faultsOf(one(objects, 'DaemonSet')), []);
});

test('the first steps of a roll-out run on labelled nodes alone', () => {
  const expressions = (objects: readonly Manifest[]) =>
    podOf(objects).affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.map(
      ({ matchExpressions }: { matchExpressions: { key: string }[] }) =>
        matchExpressions.map(({ key }) => key),
    );
  assert.deepEqual(expressions(base), [['kubernetes.io/arch', 'type', 'eks.amazonaws.com/compute-type']]);
  assert.deepEqual(expressions(example), [
    ['kubernetes.io/arch', 'type', 'eks.amazonaws.com/compute-type', 'mmaplockd/canary'],
  ]);
});

test('no probe asks whether the daemon observes: no restart gives a kernel what it lacks', () => {
  const container = containerOf(base);
  for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'])
    assert.equal(container[probe].httpGet.path, '/-/healthy', probe);
});

test('memory has a limit, the CPU has none', () => {
  const { requests, limits } = containerOf(base).resources;
  assert.deepEqual(Object.keys(limits), ['memory']);
  assert.deepEqual(Object.keys(requests), ['cpu', 'memory']);
});

test('the series of a node go on when its pod is replaced', () => {
  const [endpoint] = one(monitoring, 'PodMonitor').spec.podMetricsEndpoints;
  const { relabelings } = endpoint;
  assert.deepEqual(relabelings[0], {
    action: 'replace',
    sourceLabels: ['__meta_kubernetes_pod_node_name'],
    targetLabel: 'instance',
  });
  const dropped = relabelings.find(({ action }: { action: string }) => action === 'labeldrop');
  for (const label of ['pod', 'container', 'endpoint'])
    assert.match(label, new RegExp(`^(?:${dropped.regex})$`));
  for (const label of ['instance', 'job', 'cluster', 'namespace'])
    assert.doesNotMatch(label, new RegExp(`^(?:${dropped.regex})$`));
});

test('rules and dashboards come with the PodMonitor', () => {
  assert.ok(one(monitoring, 'PrometheusRule').spec.groups.length > 0);
  const dashboards = monitoring.filter(({ metadata }) => metadata.labels?.grafana_dashboard === '1');
  assert.ok(dashboards.length > 0);
  for (const { data } of dashboards)
    for (const text of Object.values<string>(data)) assert.ok(JSON.parse(text).panels.length > 0);
});
