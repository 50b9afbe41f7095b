/** What an isolate forgets after a write of its own, so that the next request in it sees the write. */
import { HOOK_STORES } from './admission/hooks/facts.ts';
import { forgetListed } from './admission/listed.ts';
import { forget } from './admission/lookup.ts';
import type { BoundObjects } from './authentication/bound-objects.ts';
import { FLOW_STORES } from './flowcontrol/facts.ts';
import { keyOf } from './registry/encode.ts';
import type { RequestInfo } from './request-info.ts';
import type { SnapshotCache } from './snapshot.ts';

const IN_SNAPSHOT = new Set([
  'roles',
  'rolebindings',
  'clusterroles',
  'clusterrolebindings',
  'namespaces',
  'customresourcedefinitions',
  ...[...HOOK_STORES, ...FLOW_STORES].map((id) => id.slice(id.indexOf('/') + 1)),
  'apiservices',
]);
const TOKENS_BIND_TO = new Set(['pods', 'serviceaccounts', 'secrets', 'nodes']);
const LOOKED_UP = new Set([
  'namespaces',
  'serviceaccounts',
  'priorityclasses',
  'runtimeclasses',
  'storageclasses',
  'nodes',
]);

/** Called after every successful write. */
export function afterWrite(info: RequestInfo, snapshots: SnapshotCache, bound: BoundObjects): void {
  if (info.group === '' && TOKENS_BIND_TO.has(info.resource)) {
    const namespace = info.resource === 'nodes' ? undefined : info.namespace;
    const key = info.name === '' ? undefined : keyOf(namespace, info.name);
    bound.forget(info.cluster, `core/${info.resource}`, key);
  }
  if (IN_SNAPSHOT.has(info.resource)) snapshots.drop(info.cluster);
  // Which namespaces have quotas is known to the snapshot; how much of them is used is not.
  if (info.resource === 'resourcequotas' && info.verb === 'create') snapshots.drop(info.cluster);
  if (info.resource === 'limitranges') forgetListed(info.cluster, 'core/limitranges', info.namespace);
  if (info.resource === 'priorityclasses') forgetListed(info.cluster, 'scheduling.k8s.io/priorityclasses', '');
  if (!LOOKED_UP.has(info.resource)) return;
  const namespace = info.resource === 'serviceaccounts' ? info.namespace : undefined;
  forget(info.cluster, `${info.group === '' ? 'core' : info.group}/${info.resource}`, keyOf(namespace, info.name));
}
