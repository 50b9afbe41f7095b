/** The objects that a binding gives its policy as parameters (`CollectParams`). */
import { formatLabelSelector, fromLabelSelector, matches } from '../../../apimachinery/labels.ts';
import type { KubeObject } from '../../../apimachinery/meta.ts';
import type { ParamKind, ParamRef } from '../../../generated/types/admissionregistration.v1.ts';
import { resourceByKind } from '../../../resources/index.ts';
import { type Resource, storeOf } from '../../../resources/resource.ts';
import type { Requester } from '../../context.ts';
import { converting } from '../../conversion/index.ts';
import { definedResources } from '../../registry/definitions.ts';
import { keyOf } from '../../registry/encode.ts';
import { rulesOf } from '../hooks/review.ts';
import { listed } from '../listed.ts';
import { lookUp } from '../lookup.ts';

/** A failure of the policy's or the binding's own making. */
export class ConfigurationError extends Error {}

/** The resource of a kind of parameters. Throws a ConfigurationError for one that is not served. */
export async function paramResource(context: Requester, { apiVersion = '', kind = '' }: ParamKind): Promise<Resource> {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  const found = resourceByKind(group, version, kind) ?? (await customByKind(context, group, version, kind));
  if (found !== undefined) return found;
  const name = `${group === '' ? '' : `${group}/`}${version}, Kind=${kind}`;
  throw new ConfigurationError(`failed to find resource referenced by paramKind: '${name}'`);
}

async function customByKind(
  context: Requester,
  group: string,
  version: string,
  kind: string,
): Promise<Resource | undefined> {
  const custom = rulesOf(context)?.custom;
  const known = custom?.resources.find((r) => r.group === group && r.version === version && r.kind === kind);
  const definition = known === undefined ? undefined : custom?.find(group, version, known.resource);
  if (definition === undefined) return undefined;
  const { name, resourceVersion = '' } = definition.metadata;
  return (await definedResources(context.around, context.info.cluster, name, resourceVersion))?.get(version);
}

/** The parameters, each of which the policy is asked with; none where it need not be. Throws a ConfigurationError. */
export async function collectParams(
  context: Requester,
  resource: Resource,
  ref: ParamRef,
  namespace: string,
): Promise<KubeObject[]> {
  const where = paramNamespace(resource, ref, namespace);
  const found = ref.name
    ? await named(context, resource, ref.name, where)
    : await selected(context, resource, ref, where);
  if (found.length === 0 && ref.parameterNotFoundAction === 'Deny') {
    throw new ConfigurationError('no params found for policy binding with `Deny` parameterNotFoundAction');
  }
  const { conversion } = resource;
  if (conversion === undefined) return found;
  return converting(context, resource, () => found.map((object) => conversion.fromStored(object)), found);
}

function paramNamespace(resource: Resource, ref: ParamRef, namespace: string): string {
  const own = ref.namespace ?? '';
  if (!resource.namespaced) {
    if (own === '') return '';
    throw new ConfigurationError('paramRef.namespace must not be provided for a cluster-scoped `paramKind`');
  }
  if (own !== '' || namespace !== '') return own || namespace;
  throw new ConfigurationError(
    'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources',
  );
}

async function named(context: Requester, resource: Resource, name: string, namespace: string): Promise<KubeObject[]> {
  const found = await lookUp<KubeObject>(context, storeOf(resource), keyOf(namespace, name));
  return found === undefined ? [] : [found];
}

async function selected(
  context: Requester,
  resource: Resource,
  { selector }: ParamRef,
  namespace: string,
): Promise<KubeObject[]> {
  const objects = await listed<KubeObject>(context, storeOf(resource), namespace);
  if (formatLabelSelector(selector) === '') return [...objects];
  const wanted = fromLabelSelector(selector);
  return objects.filter(({ metadata }) => matches(wanted, metadata.labels));
}
