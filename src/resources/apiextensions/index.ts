import { now } from '../../apimachinery/meta.ts';
import type { CustomResourceDefinition } from '../../generated/types/apiextensions.v1.ts';
import { groupVersion, statusSubresource } from '../group.ts';
import type { Resource, SubresourceStrategy } from '../resource.ts';
import { keep, keepAllButStatus } from '../strategies.ts';
import { formatWarnings } from './formats.ts';
import { validateDefinition, validateDefinitionStatus, validateDefinitionUpdate } from './validation.ts';

const apiextensions = groupVersion('apiextensions.k8s.io', 'v1');

function setDefaults({ spec }: CustomResourceDefinition): void {
  if (spec === undefined) return;
  if (spec.names !== undefined) {
    spec.names.singular ||= spec.names.kind?.toLowerCase();
    if (spec.names.kind) spec.names.listKind ||= `${spec.names.kind}List`;
  }
  spec.conversion ??= { strategy: 'None' };
  const service = spec.conversion.webhook?.clientConfig?.service;
  if (service !== undefined) service.port ??= 443;
}

/** The versions in which objects may be stored: that which is now, and those which were. */
function withStoredVersion(definition: CustomResourceDefinition): void {
  const version = definition.spec?.versions?.find(({ storage }) => storage === true);
  const stored = version === undefined ? undefined : (version.name ?? '');
  definition.status ??= {};
  definition.status.storedVersions ??= [];
  if (stored !== undefined && !definition.status.storedVersions.includes(stored)) {
    definition.status.storedVersions = [...definition.status.storedVersions, stored];
  }
}

/** Keeps a definition until all its objects are gone. */
export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

/** A definition that is to go says so at once: no more objects are made of it (upstream's `customresourcedefinition.REST.Delete`). */
function markDeleting({ metadata, status = {} }: CustomResourceDefinition, old: CustomResourceDefinition): void {
  metadata.generation = old.metadata.generation;
  delete metadata.deletionGracePeriodSeconds;
  if (!metadata.finalizers?.includes(CLEANUP_FINALIZER)) {
    metadata.finalizers = [...(metadata.finalizers ?? []), CLEANUP_FINALIZER];
  }
  const pending = {
    type: 'Terminating',
    status: 'True',
    lastTransitionTime: now(),
    reason: 'InstanceDeletionPending',
    message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
  };
  status.conditions = [...(status.conditions ?? []).filter(({ type }) => type !== pending.type), pending];
}

const kept = keepAllButStatus<CustomResourceDefinition>();
const status: SubresourceStrategy<CustomResourceDefinition> = {
  prepareForUpdate(definition, old) {
    kept.prepareForUpdate(definition, old);
    if (!definition.status?.storedVersions?.length) withStoredVersion(definition);
  },
  validateUpdate: validateDefinitionStatus,
};

/** The resources of the group `apiextensions.k8s.io`. */
export const apiextensionsResources: readonly Resource[] = [
  apiextensions<CustomResourceDefinition>({
    resource: 'customresourcedefinitions',
    kind: 'CustomResourceDefinition',
    namespaced: false,
    shortNames: ['crd', 'crds'],
    categories: ['api-extensions'],
    subresources: [statusSubresource<CustomResourceDefinition>('CustomResourceDefinition', status)],
    strategy: {
      unconditionalUpdate: false,
      default: setDefaults,
      prepareForCreate(definition) {
        definition.status = { acceptedNames: { plural: '', kind: '' }, storedVersions: [] };
        withStoredVersion(definition);
      },
      prepareForUpdate(definition, old) {
        keep(definition, old, 'status');
        withStoredVersion(definition);
      },
      plainFinalizers: true,
      warnings: formatWarnings,
      metadataChecks: [0, 1],
      moreFinalizers: ({ metadata }) => (metadata.deletionTimestamp === undefined ? [CLEANUP_FINALIZER] : []),
      markDeleting,
      validate: validateDefinition,
      validateUpdate: validateDefinitionUpdate,
    },
  }),
];
