/**
 * Between the versions of a custom resource: with the strategy `None` they differ in their apiVersion alone; with `Webhook` objects are
 * of the version that they say, and somebody else knows what they are in another.
 */
import type { JsonObject, KubeObject } from '../../apimachinery/meta.ts';
import { applyDefaults } from '../../apimachinery/structural/defaults.ts';
import { prune } from '../../apimachinery/structural/prune.ts';
import type { StructuralSchema } from '../../apimachinery/structural/schema.ts';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from '../../generated/types/apiextensions.v1.ts';
import type { ConversionWebhook, Resource } from '../resource.ts';
import { convertedAhead } from './ahead.ts';

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
  const webhook = webhookOf(definition);
  if (webhook !== undefined) return byWebhook(definition, version, stored, webhook);
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

/** Undefined with the strategy `None`, and where there is one version alone. */
function webhookOf({ metadata, spec = {} }: CustomResourceDefinition): ConversionWebhook | undefined {
  const { strategy, webhook } = spec.conversion ?? {};
  if (strategy !== 'Webhook' || webhook === undefined || (spec.versions ?? []).length < 2) return undefined;
  const { clientConfig = {}, conversionReviewVersions = [] } = webhook;
  return { definition: metadata.name, client: clientConfig, reviewVersions: conversionReviewVersions };
}

function byWebhook(
  { spec = {}, metadata }: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  stored: CustomResourceDefinitionVersion,
  webhook: ConversionWebhook,
): NonNullable<Resource['conversion']> {
  const schema = version.schema?.openAPIV3Schema as StructuralSchema | undefined;
  const [served, kept] = [version.name, stored.name].map((name) => `${spec.group}/${name}`) as [string, string];
  return {
    webhook,
    fromStored(object) {
      const isOld = object.apiVersion === served && metadata.generation !== 1;
      return isOld ? withSchema(object, schema) : convertedAhead(object, served);
    },
    toStored: (object) => convertedAhead(object, kept),
  };
}

/** A copy of the object, pruned and defaulted by the schema of its version. */
export function withSchema(object: KubeObject, schema: StructuralSchema | undefined): KubeObject {
  if (schema === undefined) return object;
  const copy = structuredClone(object);
  prune(copy as unknown as JsonObject, schema);
  applyDefaults(copy as unknown as JsonObject, schema);
  return copy;
}
