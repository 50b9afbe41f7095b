/** From a CustomResourceDefinition to the resources that it defines: the same data literals that built-in ones are. */
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { StructuralSchema } from '../../apimachinery/structural/schema.ts';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
  CustomResourceSubresourceScale,
} from '../../generated/types/apiextensions.v1.ts';
import { changeSubresource, scaleSubresource } from '../group.ts';
import type { CustomType, Resource, Subresource, Verb } from '../resource.ts';
import { conversionOf } from './conversion.ts';
import { columnsOf, selectableOf } from './paths.ts';
import { statusStrategy, strategyOf } from './strategy.ts';

/** In upstream's order. */
const VERBS: readonly Verb[] = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];

/** Before its names are accepted a definition serves nothing. */
export function isEstablished({ status }: CustomResourceDefinition): boolean {
  return status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false;
}

/** The resources of a definition by version, with those that are not served: one of them may be what is stored. */
export function customResources(definition: CustomResourceDefinition): ReadonlyMap<string, Resource> {
  const resources = new Map<string, Resource>();
  for (const version of definition.spec?.versions ?? []) {
    resources.set(version.name ?? '', resourceOf(definition, version, resources));
  }
  return resources;
}

function resourceOf(
  definition: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  versions: ReadonlyMap<string, Resource>,
): Resource {
  const { spec = {}, status, metadata } = definition;
  const { group = '' } = spec;
  const { name = '', subresources = {}, schema } = version;
  // What was accepted is served: a name that is taken elsewhere is not.
  const names = { ...spec.names, ...(status?.acceptedNames?.plural ? status.acceptedNames : {}) };
  const { plural = '', singular = '', kind = '', listKind, shortNames, categories } = names;
  const structural = schema?.openAPIV3Schema as StructuralSchema | undefined;
  const hasStatus = subresources.status !== undefined;
  const custom: CustomType = {
    definition: metadata.name,
    resourceVersion: metadata.resourceVersion ?? '',
    generation: metadata.generation ?? 0,
    schema: structural,
    versions,
    storage: spec.versions?.find(({ storage }) => storage === true)?.name ?? name,
    scale: subresources.scale === undefined ? undefined : scalePaths(subresources.scale),
  };
  const parts: Subresource<KubeObject>[] = [
    ...(hasStatus ? [changeSubresource<KubeObject>('status', kind, statusStrategy(structural))] : []),
    ...(subresources.scale === undefined ? [] : [scaleSubresource]),
  ];
  const conversion = conversionOf(definition, version);
  return {
    group,
    version: name,
    resource: plural,
    singular: singular || kind.toLowerCase(),
    kind,
    ...(listKind ? { listKind } : {}),
    namespaced: spec.scope === 'Namespaced',
    verbs: VERBS,
    ...(shortNames?.length ? { shortNames } : {}),
    ...(categories?.length ? { categories } : {}),
    ...(parts.length === 0 ? {} : { subresources: parts }),
    ...(version.deprecated === true ? { deprecation: deprecationOf(definition, version) } : {}),
    ...(conversion === undefined ? {} : { conversion }),
    strategy: strategyOf(structural, hasStatus),
    ...selectableOf(version.selectableFields ?? []),
    columns: columnsOf(version.additionalPrinterColumns ?? []),
    custom,
  };
}

function scalePaths(scale: CustomResourceSubresourceScale): CustomType['scale'] {
  const names = (path: string | undefined): string[] => (path ?? '').split('.').filter((name) => name !== '');
  return {
    replicas: names(scale.specReplicasPath),
    observed: names(scale.statusReplicasPath),
    selector: names(scale.labelSelectorPath),
  };
}

function deprecationOf(
  { spec }: CustomResourceDefinition,
  { name, deprecationWarning }: CustomResourceDefinitionVersion,
) {
  return deprecationWarning ?? `${spec?.group}/${name} ${spec?.names?.kind} is deprecated`;
}
