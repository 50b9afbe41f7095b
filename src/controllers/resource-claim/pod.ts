/** Pods: the claims that their templates ask for, and claims that a pod with a node uses. */
import type { Client } from '../../apimachinery/client.ts';
import { notFound } from '../../apimachinery/errors.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import type { ResourceClaim, ResourceClaimTemplate } from '../../generated/types/resource.v1.ts';
import type { ControllerContext } from '../controller.ts';
import { messageOf, patchStatus } from '../objects.ts';
import { isPodTerminal } from '../pods.ts';

export const RESOURCE_CLAIMS = 'resource.k8s.io/resourceclaims';
const TEMPLATES = 'resource.k8s.io/resourceclaimtemplates';
/** On a claim: which of the pod's claims it is. */
const POD_CLAIM = 'resource.kubernetes.io/pod-claim-name';
/** Of a name that gets a dash and five characters more. */
const LONGEST_BASE = 57;
/** Pods that may use one claim at a time. */
const MOST_CONSUMERS = 256;

type PodClaim = NonNullable<NonNullable<Pod['spec']>['resourceClaims']>[number];

const isOwnedBy = ({ metadata }: ResourceClaim, pod: Pod): boolean =>
  metadata.ownerReferences?.some(({ uid, controller }) => controller && uid === pod.metadata.uid) === true;

/** The beginning of a claim's name; of both parts as much is kept as they have of the whole. */
export function baseName(pod: string, claim: string): string {
  const whole = `${pod}-${claim}-`;
  if (whole.length <= LONGEST_BASE) return whole;
  const part = (text: string): string => text.slice(0, Math.floor((text.length * LONGEST_BASE) / whole.length));
  return `${part(pod)}-${part(claim)}`;
}

/** Makes what is missing, says so in the pod's status, and reserves what is allocated already for a pod that has its node. */
export async function syncPod(client: Client, pod: Pod, context: ControllerContext): Promise<void> {
  // What has ended needs no claims any more: those that it had are being deleted.
  if (pod.metadata.deletionTimestamp !== undefined || isPodTerminal(pod)) return;
  const made = new Map<string, string>();
  for (const podClaim of pod.spec?.resourceClaims ?? []) {
    try {
      const claim = await provide(client, pod, podClaim);
      if (claim !== undefined) made.set(podClaim.name ?? '', claim);
    } catch (error) {
      const about = { apiVersion: 'v1', kind: 'Pod', metadata: pod.metadata };
      const message = `PodResourceClaim ${podClaim.name}: ${messageOf(error)}`;
      context.events.record(about, 'Warning', 'FailedResourceClaimCreation', message);
      throw error;
    }
  }
  const before = (pod.status?.resourceClaimStatuses ?? []).filter((status) => !made.has(status.name ?? ''));
  const resourceClaimStatuses = [
    ...before,
    ...[...made].map(([of, resourceClaimName]) => ({ name: of, resourceClaimName })),
  ];
  if (made.size > 0) await patchStatus(client, 'core/pods', pod, { ...pod.status, resourceClaimStatuses });
  if (!pod.spec?.nodeName) return;
  for (const podClaim of pod.spec.resourceClaims ?? []) {
    const generated = resourceClaimStatuses.find((status) => status.name === podClaim.name)?.resourceClaimName;
    await reserve(client, pod, podClaim.resourceClaimName ?? generated);
  }
}

/** The name of a claim that the pod's status does not tell yet; undefined when there is nothing to tell. */
async function provide(client: Client, pod: Pod, podClaim: PodClaim): Promise<string | undefined> {
  const template = podClaim.resourceClaimTemplateName;
  if (template === undefined) return;
  const { namespace = '', name, uid = '' } = pod.metadata;
  const told = pod.status?.resourceClaimStatuses?.find((status) => status.name === podClaim.name);
  if (told !== undefined) {
    // It was found that none is needed.
    if (told.resourceClaimName === undefined) return;
    const claim = await client.get<ResourceClaim>(RESOURCE_CLAIMS, namespace, told.resourceClaimName);
    if (claim !== undefined) {
      if (isOwnedBy(claim, pod)) return;
      const key = `${namespace}/${claim.metadata.name}`;
      throw new Error(`ResourceClaim ${key} was not created for pod ${namespace}/${name} (pod is not owner)`);
    }
  }
  // One may have been made before it could be told.
  const { items } = await client.list<ResourceClaim>(RESOURCE_CLAIMS, { namespace, ownerUid: uid });
  const mine = items.find((claim) => claim.metadata.annotations?.[POD_CLAIM] === podClaim.name);
  return (mine ?? (await create(client, pod, podClaim, template))).metadata.name;
}

async function create(client: Client, pod: Pod, podClaim: PodClaim, templateName: string): Promise<ResourceClaim> {
  const { namespace = '', name } = pod.metadata;
  const template = await client.get<ResourceClaimTemplate>(TEMPLATES, namespace, templateName);
  if (template === undefined) {
    const missing = notFound({ group: 'resource.k8s.io', resource: 'resourceclaimtemplate' }, templateName);
    throw new Error(`resource claim template "${templateName}": ${missing.message}`);
  }
  const { metadata, spec } = template.spec ?? {};
  return client.create<ResourceClaim>(RESOURCE_CLAIMS, {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: {
      name: '',
      generateName: baseName(name, podClaim.name ?? ''),
      namespace,
      ...(metadata?.labels === undefined ? {} : { labels: metadata.labels }),
      annotations: { ...metadata?.annotations, [POD_CLAIM]: podClaim.name ?? '' },
      // Without `blockOwnerDeletion`: it does not hold up the pod's end.
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid: pod.metadata.uid ?? '', controller: true }],
    },
    ...(spec === undefined ? {} : { spec }),
  });
}

/** Notes the pod among those that use the claim: the scheduler did so, unless the pod got its node from somebody else. */
async function reserve(client: Client, pod: Pod, name: string | undefined): Promise<void> {
  const { namespace = '', uid = '' } = pod.metadata;
  const claim = name === undefined ? undefined : await client.get<ResourceClaim>(RESOURCE_CLAIMS, namespace, name);
  if (claim?.status?.allocation === undefined) return;
  const reservedFor = claim.status.reservedFor ?? [];
  if (reservedFor.some((consumer) => consumer.uid === uid) || reservedFor.length >= MOST_CONSUMERS) return;
  const consumer = { resource: 'pods', name: pod.metadata.name, uid };
  const status = { ...claim.status, reservedFor: [...reservedFor, consumer] };
  await client.update(RESOURCE_CLAIMS, { ...claim, status }, 'status');
}
