/** Between the versions of a custom resource: with the strategy `None` they differ in their apiVersion alone. */
import type { JsonObject, KubeObject } from '../../apimachinery/meta.ts';
import { applyDefaults } from '../../apimachinery/structural/defaults.ts';
import { prune } from '../../apimachinery/structural/prune.ts';
import type { StructuralSchema } from '../../apimachinery/structural/schema.ts';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from '../../generated/types/apiextensions.v1.ts';
import type { Resource } from '../resource.ts';

/**
 * Undefined where stored objects are served as they are: in the stored version of a definition that never changed. What was stored
 * under an older schema is pruned and defaulted when it is read, as upstream does.
 */
export function conversionOf(
  definition: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
): Resource['conversion'] {
  const { spec = {}, metadata } = definition;
  const stored = spec.versions?.find(({ storage }) => storage === true) ?? version;
  if (stored.name === version.name && metadata.generation === 1) return undefined;
  const apiVersion = (name: string | undefined): string => `${spec.group}/${name}`;
  return {
    fromStored(object) {
      const read = withSchema(object, stored.schema?.openAPIV3Schema as StructuralSchema | undefined);
      return { ...read, apiVersion: apiVersion(version.name) };
    },
    toStored: (object) => ({ ...object, apiVersion: apiVersion(stored.name) }),
  };
}

function withSchema(object: KubeObject, schema: StructuralSchema | undefined): KubeObject {
  if (schema === undefined) return object;
  const copy = structuredClone(object);
  prune(copy as unknown as JsonObject, schema);
  applyDefaults(copy as unknown as JsonObject, schema);
  return copy;
}
