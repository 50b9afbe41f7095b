/** What an autoscaler scales, through its `scale` subresource. */
import type { Client, ResourceId } from '../../apimachinery/client.ts';
import { formatLabelSelector } from '../../apimachinery/labels.ts';
import { type KubeObject, parseApiVersion } from '../../apimachinery/meta.ts';
import type { HorizontalPodAutoscaler } from '../../generated/types/autoscaling.v2.ts';
import { resources } from '../../resources/index.ts';
import { type Resource, storeOf } from '../../resources/resource.ts';

/** The parts of a Scale that matter here. */
export interface Scale {
  resource: ResourceId;
  namespace: string;
  name: string;
  specReplicas: number;
  statusReplicas: number;
  /** As written in a query string; empty where the target has none. */
  selector: string;
}

type Scalable = KubeObject & {
  spec?: { replicas?: number; selector?: Record<string, unknown> };
  status?: { replicas?: number };
};

/** Reads the target's scale; throws upstream's words where it has none. */
export async function readScale(
  client: Client,
  { metadata, spec }: Pick<HorizontalPodAutoscaler, 'metadata' | 'spec'>,
): Promise<Scale> {
  const { apiVersion = '', kind = '', name = '' } = spec?.scaleTargetRef ?? {};
  const { namespace = '' } = metadata;
  const resource = resourceOf(apiVersion, kind);
  const object = await client.get<Scalable>(storeOf(resource), namespace, name);
  if (object === undefined) throw new Error(`${notFoundName(resource)} ${JSON.stringify(name)} not found`);
  const selector = object.spec?.selector ?? {};
  return {
    resource: storeOf(resource),
    namespace,
    name,
    specReplicas: object.spec?.replicas ?? 0,
    statusReplicas: object.status?.replicas ?? 0,
    selector: formatLabelSelector(kind === 'ReplicationController' ? { matchLabels: selector } : selector),
  };
}

function resourceOf(apiVersion: string, kind: string): Resource {
  if (apiVersion.split('/').length > 2) throw new Error(`unexpected GroupVersion string: ${apiVersion}`);
  const { group } = parseApiVersion(apiVersion);
  const found = resources.find((resource) => resource.group === group && resource.kind === kind);
  if (found === undefined)
    throw new Error(`no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`);
  if (found.subresources?.some(({ name }) => name === 'scale') !== true) {
    throw new Error('the server could not find the requested resource');
  }
  return found;
}

/** Upstream's stores of these name the subresource when there is no object. */
const NAMED_WITH_SCALE = new Set(['deployments', 'replicasets', 'replicationcontrollers']);

function notFoundName({ group, resource }: Resource): string {
  const whole = NAMED_WITH_SCALE.has(resource) ? `${resource}/scale` : resource;
  return group === '' ? whole : `${whole}.${group}`;
}

/** Sets the number of replicas. */
export async function writeScale(
  client: Client,
  { resource, namespace, name }: Scale,
  replicas: number,
): Promise<void> {
  await client.patch(resource, namespace, name, 'merge', { spec: { replicas } }, 'scale');
}
