/** The built-in admission plugins, in upstream's order. Adding one is a file and a line here. */
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { RequestOptions } from '../../durable-objects/rpc.ts';
import type { Resource } from '../../resources/resource.ts';
import type { Requester } from '../context.ts';
import { certificateRequester } from './certificate-requester.ts';
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './certificates.ts';
import { defaultTolerationSeconds } from './default-toleration-seconds.ts';
import { defaultIngressClass, defaultStorageClass } from './defaults-by-class.ts';
import { deviceAdminAccess } from './device-admin-access.ts';
import { Reinvocation } from './hooks/reinvocation.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { nodeRestriction } from './node-restriction/index.ts';
import { persistentVolumeClaimResize } from './persistent-volume-claim-resize.ts';
import type { AdmissionPlugin, Attributes, Operation } from './plugin.ts';
import { podSecurity } from './pod-security/index.ts';
import { podTopologyLabels } from './pod-topology-labels.ts';
import { validatingPolicy } from './policy/index.ts';
import { mutatingPolicy } from './policy/mutating/index.ts';
import { priority } from './priority.ts';
import { rbacEscalation } from './rbac-escalation.ts';
import { resourceQuota } from './resource-quota/index.ts';
import { runtimeClass } from './runtime-class.ts';
import { serviceAccount } from './service-account.ts';
import { storageObjectInUseProtection } from './storage-object-in-use-protection.ts';
import { taintNodesByCondition } from './taint-nodes-by-condition.ts';
import { mutatingWebhook, validatingWebhook } from './webhook/index.ts';

const PLUGINS: readonly AdmissionPlugin[] = [
  namespaceLifecycle,
  limitRanger,
  serviceAccount,
  nodeRestriction,
  taintNodesByCondition,
  podSecurity,
  priority,
  defaultTolerationSeconds,
  defaultStorageClass,
  storageObjectInUseProtection,
  persistentVolumeClaimResize,
  runtimeClass,
  certificateRequester,
  certificateApproval,
  certificateSigning,
  certificateSubjectRestriction,
  defaultIngressClass,
  podTopologyLabels,
  mutatingPolicy,
  mutatingWebhook,
  // Upstream's registry asks this, after all admission.
  rbacEscalation,
  deviceAdminAccess,
  validatingPolicy,
  validatingWebhook,
  // Last: what a quota is charged for has been found good by all others.
  resourceQuota,
];

/** Whether any plugin has a say in the write. */
export function isAdmitted(operation: Operation): boolean {
  return PLUGINS.some((plugin) => plugin.handles(operation));
}

/** Lets every plugin change the object, in order, twice where a webhook has changed it; throws what the first that refuses throws. */
export async function admit(attributes: Attributes): Promise<void> {
  const reinvocation = new Reinvocation();
  const all = { ...attributes, reinvocation };
  await each(all, 'admit');
  if (reinvocation.begin()) await each(all, 'admit');
}

/** Lets every plugin judge the valid object, in order; throws what the first that refuses throws. */
export function validate(attributes: Attributes): Promise<void> {
  return each(attributes, 'validate');
}

/** Both, for what is made of an object without being one itself: an Eviction, a Binding, a TokenRequest. */
export async function admitSubresource(
  context: Requester,
  resource: Resource,
  subresource: string,
  object: KubeObject,
  options: RequestOptions,
): Promise<void> {
  object.metadata.namespace ??= context.info.namespace;
  const attributes: Attributes = { context, resource, subresource, operation: 'CREATE', object, options };
  await admit(attributes);
  await validate(attributes);
}

async function each(attributes: Attributes, phase: 'admit' | 'validate'): Promise<void> {
  for (const plugin of PLUGINS) {
    if (plugin[phase] === undefined || !plugin.handles(attributes)) continue;
    const pending = plugin[phase](attributes);
    // Most plugins have nothing to wait for; a turn of the event loop each would be felt.
    if (pending !== undefined) await pending;
  }
}
