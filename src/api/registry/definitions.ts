/** CustomResourceDefinitions as an isolate keeps them: each made into resources once for each version of it. */
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { CustomResourceDefinition } from '../../generated/types/apiextensions.v1.ts';
import { customResources } from '../../resources/custom/resource.ts';
import type { Resource } from '../../resources/resource.ts';

export const DEFINITIONS = 'apiextensions.k8s.io/customresourcedefinitions';
/** Schemas can be large: so many definitions are kept, whatever their clusters. */
const MOST_KEPT = 600;

/** Where definitions are read from. */
export interface DefinitionSource {
  store(cluster: string, id: string): { get(key: string): Promise<string | null> };
}

interface Kept {
  resourceVersion: number;
  resources: ReadonlyMap<string, Resource>;
}

const kept = new Map<string, Kept>();

/**
 * The resources of a definition by version, as of `resourceVersion` or later; undefined where there is no such definition. At once
 * when the isolate has them.
 */
export function definedResources(
  source: DefinitionSource,
  cluster: string,
  name: string,
  resourceVersion: string,
): ReadonlyMap<string, Resource> | undefined | Promise<ReadonlyMap<string, Resource> | undefined> {
  const known = kept.get(`${cluster} ${name}`);
  if (known !== undefined && known.resourceVersion >= Number(resourceVersion)) return known.resources;
  return load(source, cluster, name);
}

async function load(
  source: DefinitionSource,
  cluster: string,
  name: string,
): Promise<ReadonlyMap<string, Resource> | undefined> {
  const key = `${cluster} ${name}`;
  const text = await source.store(cluster, DEFINITIONS).get(name);
  if (text === null) {
    kept.delete(key);
    return undefined;
  }
  const definition = JSON.parse(text) as CustomResourceDefinition;
  const resources = customResources(definition);
  if (kept.size >= MOST_KEPT) kept.delete(kept.keys().next().value as string);
  kept.delete(key);
  kept.set(key, { resourceVersion: Number(definition.metadata.resourceVersion), resources });
  return resources;
}

/** A definition without what only its own requests need: schemas and columns. */
export function withoutSchemas(definition: KubeObject): CustomResourceDefinition {
  const { metadata, spec = {}, status = {} } = definition as CustomResourceDefinition;
  const { name, resourceVersion, generation, deletionTimestamp } = metadata;
  const versions = (spec.versions ?? []).map((version) => ({
    name: version.name,
    served: version.served,
    storage: version.storage,
    deprecated: version.deprecated,
    deprecationWarning: version.deprecationWarning,
    subresources: version.subresources,
  }));
  const { group, scope, names, conversion } = spec;
  return {
    metadata: { name, resourceVersion, generation, ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) },
    spec: { group, scope, names, conversion, versions },
    status: { conditions: status.conditions, acceptedNames: status.acceptedNames },
  } as CustomResourceDefinition;
}
