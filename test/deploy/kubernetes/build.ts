/**
 * What `kubectl kustomize` makes of a folder, as far as the manifests here use it. A field of a kustomization.yaml that
 * is not known here is an error, so that nothing passes unread; kubernetes.test.ts holds the result against kubectl where
 * that is installed. Generated names are left without their hash.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

/** An object of Kubernetes, loosely: the schema of its kind is checked elsewhere. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: tests reach deep into objects of many kinds
  [field: string]: any;
}

interface GeneratorOptions {
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly disableNameSuffixHash?: boolean;
}

interface Generator {
  readonly name: string;
  readonly namespace?: string;
  readonly behavior?: 'create' | 'replace';
  readonly files: readonly string[];
  readonly options?: GeneratorOptions;
}

interface Patch {
  readonly target: { readonly kind: string; readonly name: string };
  readonly patch: string;
}

interface Kustomization {
  readonly apiVersion: string;
  readonly kind: 'Kustomization' | 'Component';
  readonly namespace?: string;
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly configMapGenerator?: readonly Generator[];
  readonly generatorOptions?: GeneratorOptions;
  readonly images?: readonly { readonly name: string; readonly newName?: string; readonly newTag?: string }[];
  readonly patches?: readonly Patch[];
}

const onlyKnown = (value: object, known: readonly string[], where: string): void => {
  const unknown = Object.keys(value).filter((key) => !known.includes(key));
  assert.deepEqual(unknown, [], `${where}: this check does not know these fields`);
};

const readKustomization = (folder: string): Kustomization => {
  const file = path.join(folder, 'kustomization.yaml');
  assert.ok(existsSync(file), `${file} does not exist`);
  const read = parse(readFileSync(file, 'utf8')) as Kustomization;
  onlyKnown(
    read,
    [
      ...['apiVersion', 'kind', 'namespace', 'resources', 'components', 'patches', 'images'],
      ...['configMapGenerator', 'generatorOptions'],
    ],
    file,
  );
  const component = read.kind === 'Component';
  assert.equal(read.apiVersion, `kustomize.config.k8s.io/v1${component ? 'alpha1' : 'beta1'}`, file);
  assert.ok(component || read.kind === 'Kustomization', file);
  return read;
};

const readObjects = (file: string): Manifest[] =>
  parseAllDocuments(readFileSync(file, 'utf8')).map((document) => {
    assert.deepEqual(document.errors, [], file);
    return document.toJS() as Manifest;
  });

const generate = (folder: string, generator: Generator, common: GeneratorOptions = {}): Manifest => {
  const { name, namespace, files, options = {} } = generator;
  onlyKnown(generator, ['name', 'namespace', 'behavior', 'files', 'options'], `${folder}: ${name}`);
  for (const given of [options, common])
    onlyKnown(given, ['labels', 'annotations', 'disableNameSuffixHash'], `${folder}: ${name}`);
  const data = files.map((entry) => {
    const [key, file] = entry.includes('=') ? entry.split('=') : [path.basename(entry), entry];
    return [key, readFileSync(path.join(folder, file as string), 'utf8')];
  });
  const labels = { ...common.labels, ...options.labels };
  const annotations = { ...common.annotations, ...options.annotations };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(Object.keys(labels).length > 0 && { labels }),
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
    data: Object.fromEntries(data),
  };
};

const isSame = (a: Manifest, b: Manifest): boolean =>
  a.kind === b.kind && a.metadata.name === b.metadata.name;

/** One operation of RFC 6902. */
const applyOperation = (root: Manifest, { op, path: pointer, value }: Record<string, string>): void => {
  const steps = pointer!.split('/').slice(1);
  const names = steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = names.pop()!;
  const parent = names.reduce<Record<string, unknown>>((at, name) => {
    assert.ok(typeof at[name] === 'object' && at[name] !== null, `${pointer}: there is no ${name}`);
    return at[name] as Record<string, unknown>;
  }, root);
  if (op === 'add' && Array.isArray(parent) && last === '-') parent.push(value);
  else if (op === 'add' && !Array.isArray(parent)) parent[last] = value;
  else if (op === 'remove' && !Array.isArray(parent)) {
    assert.ok(Object.hasOwn(parent, last), `${pointer}: there is nothing to remove`);
    delete parent[last];
  } else assert.fail(`${op} ${pointer}: this check does not know such an operation`);
};

const applyPatch = (objects: readonly Manifest[], patch: Patch, where: string): void => {
  onlyKnown(patch, ['target', 'patch'], where);
  const { kind, name } = patch.target;
  const targets = objects.filter((object) => object.kind === kind && object.metadata.name === name);
  assert.ok(targets.length > 0, `${where}: no ${kind} ${name} to patch`);
  for (const target of targets) for (const operation of parse(patch.patch)) applyOperation(target, operation);
};

const clusterScoped = ['Namespace', 'PriorityClass', 'ClusterRole', 'ClusterRoleBinding'];

const applyNamespace = (objects: readonly Manifest[], namespace: string): void => {
  for (const { kind, metadata } of objects) {
    if (kind === 'Namespace') metadata.name = namespace;
    else if (!clusterScoped.includes(kind)) metadata.namespace = namespace;
  }
};

const applyImages = (objects: readonly Manifest[], images: NonNullable<Kustomization['images']>): void => {
  for (const container of objects.flatMap(({ spec }) => spec?.template?.spec?.containers ?? [])) {
    for (const { name, newName, newTag } of images) {
      const [, base = '', tag = ''] = /^(.*?)(:[^/:]+)?$/.exec(container.image) ?? [];
      if (base === name) container.image = `${newName ?? base}${newTag === undefined ? tag : `:${newTag}`}`;
    }
  }
};

/** Adds what a folder brings to what is there, and changes that. */
const applyFolder = (folder: string, objects: Manifest[]): Manifest[] => {
  const { resources = [], components = [], patches = [], ...rest } = readKustomization(folder);
  const all = [...objects];
  for (const resource of resources) {
    const at = path.resolve(folder, resource);
    assert.ok(existsSync(at), `${folder}: ${resource} does not exist`);
    const isFolder = statSync(at).isDirectory();
    // kustomize refuses files outside the folder, and takes folders from anywhere.
    assert.ok(
      isFolder || at.startsWith(path.resolve(folder) + path.sep),
      `${folder}: ${resource} is outside`,
    );
    all.push(...(isFolder ? applyFolder(at, []) : readObjects(at)));
  }
  for (const generator of rest.configMapGenerator ?? []) {
    const made = generate(folder, generator, rest.generatorOptions);
    const index = all.findIndex((object) => isSame(object, made));
    const replaces = generator.behavior === 'replace';
    assert.equal(
      index >= 0,
      replaces,
      `${folder}: ${made.metadata.name} ${replaces ? 'is not there' : 'is there twice'}`,
    );
    if (replaces) all[index] = made;
    else all.push(made);
  }
  const whole = components.reduce(
    (sofar, component) => applyFolder(path.resolve(folder, component), sofar),
    all,
  );
  for (const patch of patches) applyPatch(whole, patch, folder);
  if (rest.namespace !== undefined) applyNamespace(whole, rest.namespace);
  applyImages(whole, rest.images ?? []);
  return whole;
};

/** The objects of a folder with a kustomization.yaml. */
export const buildKustomization = (folder: string): Manifest[] => applyFolder(path.resolve(folder), []);
