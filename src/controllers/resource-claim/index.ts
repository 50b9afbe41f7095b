/** Claims of devices that pods ask for by template, and the end of claims that nobody uses. */
import type { Client } from '../../apimachinery/client.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import type { ResourceClaim } from '../../generated/types/resource.v1.ts';
import { type Controller, keyOf, type ObjectChange, parseKey } from '../controller.ts';
import { isPodDone, syncClaim } from './claim.ts';
import { RESOURCE_CLAIMS, syncPod } from './pod.ts';

/** Keys: `pod#<namespace>/<name>`, `claim#<namespace>/<name>`. */
const POD = 'pod#';
const CLAIM = 'claim#';

/** A pod that came or got its node; of one that went or ended, its claims. */
async function keysOfPod(change: ObjectChange): Promise<string[]> {
  const pod = ((await change.object()) ?? change.previous) as Pod | undefined;
  const podClaims = pod?.spec?.resourceClaims ?? [];
  if (pod === undefined || podClaims.length === 0) return [];
  const before = change.previous as Pod | undefined;
  if (change.type === 'DELETED' || isPodDone(pod)) {
    const generated = pod.status?.resourceClaimStatuses?.map(({ resourceClaimName }) => resourceClaimName) ?? [];
    const names = [...podClaims.map(({ resourceClaimName }) => resourceClaimName), ...generated];
    return names.flatMap((name) => (name === undefined ? [] : `${CLAIM}${change.namespace}/${name}`));
  }
  return before !== undefined && before.spec?.nodeName === pod.spec?.nodeName ? [] : [`${POD}${change.key}`];
}

/** The claim, and of one that is gone the pod that it was made for. */
async function keysOfClaim(change: ObjectChange): Promise<string[]> {
  if (change.type !== 'DELETED') return [`${CLAIM}${change.key}`];
  const { ownerReferences = [] } = ((await change.object()) ?? change.previous)?.metadata ?? {};
  const owner = ownerReferences.find(({ kind, controller }) => kind === 'Pod' && controller);
  return owner === undefined ? [] : [`${POD}${change.namespace}/${owner.name}`];
}

/** The pods that wait for a template. */
async function keysOfTemplate({ type, namespace, name }: ObjectChange, client: Client): Promise<string[]> {
  if (type !== 'ADDED') return [];
  const { items } = await client.list<Pod>('core/pods', { namespace });
  const waits = ({ spec }: Pod): boolean =>
    spec?.resourceClaims?.some(({ resourceClaimTemplateName }) => resourceClaimTemplateName === name) === true;
  return items.filter(waits).map((pod) => `${POD}${keyOf(pod)}`);
}

/** Upstream's `resourceclaim-controller`. */
export const resourceClaimController: Controller = {
  name: 'resourceclaim-controller',
  eventSource: 'resource_claim',
  watches: [
    { resource: 'core/pods', keys: keysOfPod },
    { resource: RESOURCE_CLAIMS, keys: keysOfClaim },
    { resource: 'resource.k8s.io/resourceclaimtemplates', keys: keysOfTemplate },
  ],
  async reconcile(client, { key }, context) {
    const isPod = key.startsWith(POD);
    const { namespace, name } = parseKey(key.slice((isPod ? POD : CLAIM).length));
    if (isPod) {
      const pod = await client.get<Pod>('core/pods', namespace, name);
      if (pod !== undefined) await syncPod(client, pod, context);
      return;
    }
    const claim = await client.get<ResourceClaim>(RESOURCE_CLAIMS, namespace, name);
    if (claim !== undefined) await syncClaim(client, claim);
    return;
  },
};
