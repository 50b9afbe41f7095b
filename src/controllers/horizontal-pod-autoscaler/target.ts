/** What an autoscaler scales, through its `scale` subresource. */
import type { Client, ResourceId } from '../../apimachinery/client.ts';
import { notFound } from '../../apimachinery/errors.ts';
import { formatLabelSelector } from '../../apimachinery/labels.ts';
import { type KubeObject, parseApiVersion } from '../../apimachinery/meta.ts';
import { refusalOf } from '../../apimachinery/refusal.ts';
import type { CustomResourceDefinition } from '../../generated/types/apiextensions.v1.ts';
import type { HorizontalPodAutoscaler } from '../../generated/types/autoscaling.v2.ts';
import { customResources } from '../../resources/custom/resource.ts';
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

/** Reads the target's scale; throws upstream's words where it has none. */
export async function readScale(
  client: Client,
  { metadata, spec }: Pick<HorizontalPodAutoscaler, 'metadata' | 'spec'>,
): Promise<Scale> {
  const { apiVersion = '', kind = '', name = '' } = spec?.scaleTargetRef ?? {};
  const { namespace = '' } = metadata;
  const resource = await resourceOf(client, apiVersion, kind);
  const object = await client.get(storeOf(resource), namespace, name);
  if (object === undefined) throw notFound(resource, name);
  const { replicas, observed, selector } = resource.custom?.scale ?? BUILT_IN;
  const selected = at(object, selector);
  return {
    resource: storeOf(resource),
    namespace,
    name,
    specReplicas: Number(at(object, replicas) ?? 0),
    statusReplicas: Number(at(object, observed) ?? 0),
    selector: selectorText(resource, selected),
  };
}

/** Where workloads keep what a definition tells of custom ones. */
const BUILT_IN = { replicas: ['spec', 'replicas'], observed: ['status', 'replicas'], selector: ['spec', 'selector'] };

/** The value at the end of a path of names. */
function at(object: KubeObject, path: readonly string[]): unknown {
  let value: unknown = object;
  for (const name of path) {
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  }
  return value;
}

/** Custom resources keep their selector as text, ReplicationControllers as a map, all others as a LabelSelector. */
function selectorText({ custom, kind }: Resource, selector: unknown): string {
  if (custom !== undefined) return typeof selector === 'string' ? selector : '';
  const object = (selector ?? {}) as Record<string, string>;
  return formatLabelSelector(kind === 'ReplicationController' ? { matchLabels: object } : object);
}

async function resourceOf(client: Client, apiVersion: string, kind: string): Promise<Resource> {
  if (apiVersion.split('/').length > 2) throw new Error(`unexpected GroupVersion string: ${apiVersion}`);
  const found = await resourceOfKind(client, parseApiVersion(apiVersion).group, kind);
  if (found.subresources?.some(({ name }) => name === 'scale') !== true) throw new Error(refusalOf(404, ''));
  return found;
}

/** The resource of a kind, built in or custom (`RESTMapping`); throws upstream's words where there is none. */
export async function resourceOfKind(client: Client, group: string, kind: string): Promise<Resource> {
  const builtIn = resources.find((resource) => resource.group === group && resource.kind === kind);
  const found = builtIn ?? (await customResource(client, group, kind));
  if (found !== undefined) return found;
  throw new Error(`no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`);
}

/** A custom resource, in the version in which its objects are kept. */
async function customResource(client: Client, group: string, kind: string): Promise<Resource | undefined> {
  if (!group.includes('.')) return undefined;
  const { items } = await client.list<CustomResourceDefinition>('apiextensions.k8s.io/customresourcedefinitions');
  const definition = items.find(({ spec }) => spec?.group === group && spec.names?.kind === kind);
  const stored = definition?.spec?.versions?.find(({ storage }) => storage === true)?.name ?? '';
  return definition === undefined ? undefined : customResources(definition).get(stored);
}

/** Sets the number of replicas. */
export async function writeScale(
  client: Client,
  { resource, namespace, name }: Scale,
  replicas: number,
): Promise<void> {
  await client.patch(resource, namespace, name, 'merge', { spec: { replicas } }, 'scale');
}
