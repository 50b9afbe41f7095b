/** The built-in admission plugins, in upstream's order. Adding one is a file and a line here. */
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { RequestOptions } from '../../durable-objects/rpc.ts';
import type { Resource } from '../../resources/resource.ts';
import type { Context } from '../context.ts';
import { certificateRequester } from './certificate-requester.ts';
import { defaultTolerationSeconds } from './default-toleration-seconds.ts';
import { defaultIngressClass, defaultStorageClass } from './defaults-by-class.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import type { AdmissionPlugin } from './plugin.ts';
import { podSecurity } from './pod-security/index.ts';
import { priority } from './priority.ts';
import { runtimeClass } from './runtime-class.ts';
import { serviceAccount } from './service-account.ts';
import { storageObjectInUseProtection } from './storage-object-in-use-protection.ts';
import { taintNodesByCondition } from './taint-nodes-by-condition.ts';

const PLUGINS: readonly AdmissionPlugin[] = [
  namespaceLifecycle,
  limitRanger,
  serviceAccount,
  taintNodesByCondition,
  priority,
  defaultTolerationSeconds,
  defaultStorageClass,
  storageObjectInUseProtection,
  runtimeClass,
  certificateRequester,
  defaultIngressClass,
  // Upstream's validating plugins see what the others have made of the object.
  podSecurity,
];

/** Lets every plugin see a new object, in order; throws what the first that refuses throws. */
export async function admitCreate(
  context: Context,
  resource: Resource,
  object: KubeObject,
  options: RequestOptions,
): Promise<void> {
  const attributes = { context, resource, object, options };
  for (const plugin of PLUGINS) {
    const pending = plugin.admitCreate(attributes);
    // Most plugins have nothing to wait for; a turn of the event loop each would be felt.
    if (pending !== undefined) await pending;
  }
}
