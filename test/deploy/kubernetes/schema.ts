/**
 * Validates objects by the schemas of Kubernetes and the Prometheus operator. Those take any field they do not know, as
 * an API server does that drops it: here such a field is a fault, told by that no validator ever looked at it.
 */
import { PodMonitor, PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { DaemonSet } from 'kubernetes-models/apps/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PriorityClass } from 'kubernetes-models/scheduling.k8s.io/v1';
import { ConfigMap, Namespace, ServiceAccount } from 'kubernetes-models/v1';

interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly prototype: { validate(): void };
}

const kinds: readonly Kind[] = [
  ConfigMap,
  DaemonSet,
  Namespace,
  NetworkPolicy,
  PodMonitor,
  PriorityClass,
  PrometheusRule,
  ServiceAccount,
];

/** Where the models know a field and their validator does not: it loses those that are named like a word of JSON Schema. */
const lost = ['PriorityClass/description'];

/** A view of a value that takes each field off `unread` when somebody reads it. */
const watched = (value: unknown, at: string, unread: Set<string>): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  const views = new Map<string, unknown>();
  if (!Array.isArray(value)) for (const field of Object.keys(value)) unread.add(`${at}/${field}`);
  return new Proxy(value, {
    get(target, field, receiver) {
      const found: unknown = Reflect.get(target, field, receiver);
      if (typeof field !== 'string' || !Object.hasOwn(target, field)) return found;
      const place = `${at}/${field}`;
      unread.delete(place);
      if (!views.has(field)) views.set(field, watched(found, place, unread));
      return views.get(field);
    },
  });
};

/** What is wrong with an object, one line a fault; empty when it is valid and the schema knows all of it. */
export const faultsOf = (object: { readonly apiVersion: string; readonly kind: string }): string[] => {
  const kind = kinds.find(({ apiVersion, kind }) => apiVersion === object.apiVersion && kind === object.kind);
  if (kind === undefined) return [`no schema at hand for ${object.apiVersion} ${object.kind}`];
  const unread = new Set<string>();
  try {
    kind.prototype.validate.call(watched(object, '', unread) as { validate(): void });
  } catch (error) {
    return [(error as Error).message];
  }
  return [...unread]
    .filter((field) => !lost.includes(object.kind + field))
    .map((field) => `${field}: ${object.kind} has no such field`);
};
