/** PodSecurity: what pods may do in a namespace, by its labels. Pods are refused or warned of, templates only warned of. */
import { forbidden } from '../../../apimachinery/errors.ts';
import type { KubeObject } from '../../../apimachinery/meta.ts';
import type { Pod } from '../../../generated/types/core.v1.ts';
import type { Requester } from '../../context.ts';
import { lookUp } from '../lookup.ts';
import type { AdmissionPlugin, Operation } from '../plugin.ts';
import { violation } from './evaluate.ts';
import { warnOfPods } from './namespaces.ts';
import type { PodSpec } from './pod.ts';
import { formatLevel, hasPolicy, policyOf } from './policy.ts';
import { isSignificantUpdate } from './update.ts';

/** Where objects of other kinds carry a pod's template. */
const TEMPLATES: Record<string, (object: KubeObject) => Pod | undefined> = {
  podtemplates: (object) => (object as { template?: Pod }).template,
  cronjobs: (object) =>
    (object as { spec?: { jobTemplate?: { spec?: { template?: Pod } } } }).spec?.jobTemplate?.spec?.template,
};
for (const name of ['deployments', 'replicasets', 'statefulsets', 'daemonsets', 'jobs', 'replicationcontrollers']) {
  TEMPLATES[name] = (object) => (object as { spec?: { template?: Pod } }).spec?.template;
}
const GROUPS = new Set(['', 'apps', 'batch']);
/** Updates by which a pod may become another. */
const OF_PODS = new Set(['', 'ephemeralcontainers', 'resize']);

/** Of annotations in the audit log. */
const NOTES = 'pod-security.kubernetes.io/';

const isOf = (resource: Operation['resource'], plural: string): boolean =>
  resource.group === '' && resource.resource === plural;

/** Whether the namespace is one with a policy, as far as that is known without asking for it. */
function mayHavePolicy({ snapshot, info }: Requester): boolean {
  return snapshot === undefined || hasPolicy(snapshot.namespaces.get(info.namespace)?.labels);
}

export const podSecurity: AdmissionPlugin = {
  name: 'PodSecurity',
  handles({ context, resource, operation, subresource }) {
    if (isOf(resource, 'namespaces')) return operation === 'UPDATE' && subresource === '';
    const isPod = isOf(resource, 'pods');
    if (!isPod && !(GROUPS.has(resource.group) && Object.hasOwn(TEMPLATES, resource.resource))) return false;
    if (operation === 'CREATE') return subresource === '';
    return (isPod ? OF_PODS.has(subresource) : subresource === '') && mayHavePolicy(context);
  },
  validate(attributes) {
    const { context, resource, object, old } = attributes;
    if (isOf(resource, 'namespaces')) return warnOfPods(attributes);
    const isPod = isOf(resource, 'pods');
    if (isPod && old !== undefined && !isSignificantUpdate(object as Pod, old as Pod)) return;
    const pod = isPod ? (object as Pod) : TEMPLATES[resource.resource]?.(object);
    if (pod?.spec === undefined) return;
    const found = lookUp(context, 'core/namespaces', object.metadata.namespace ?? '');
    if (found instanceof Promise) return found.then((namespace) => judge(context, namespace, pod, isPod));
    judge(context, found, pod, isPod);
  },
};

function judge(context: Requester, namespace: KubeObject | undefined, pod: Pod, isPod: boolean): void {
  const { enforce, audit, warn } = policyOf(namespace?.metadata.labels);
  const spec = pod.spec as PodSpec;
  const metadata = pod.metadata ?? {};
  const told = context.audit === undefined ? undefined : violation(audit, spec, metadata);
  if (told !== undefined) context.audit?.annotate(`${NOTES}audit-violations`, `would violate ${told}`);
  if (isPod) {
    context.audit?.annotate(`${NOTES}enforce-policy`, formatLevel(enforce));
    const violated = violation(enforce, spec, metadata);
    if (violated !== undefined) {
      throw forbidden({ group: '', resource: 'pods' }, metadata.name ?? '', `violates ${violated}`);
    }
  }
  const warned = violation(warn, spec, metadata);
  if (warned !== undefined) context.warnings.push(`would violate ${warned}`);
}
