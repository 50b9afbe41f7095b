import { deepEqual } from '../../apimachinery/equal.ts';
import { type FieldError, invalid } from '../../apimachinery/field.ts';
import { isQualifiedName } from '../../apimachinery/names.ts';
import { labelName } from '../../apimachinery/validation/object-names.ts';
import type { Namespace } from '../../generated/types/core.v1.ts';
import { statusSubresource } from '../group.ts';
import type { SubresourceStrategy } from '../resource.ts';
import { keep } from '../strategies.ts';
import { core } from './group.ts';
import { podSecurityLabelErrors } from './pod-security-labels.ts';

const FINALIZER = 'kubernetes';
const STANDARD_FINALIZERS = [FINALIZER, 'foregroundDeletion', 'orphan'];
const NOT_STANDARD = 'name is neither a standard finalizer name nor is it fully qualified';

function validateFinalizers({ spec }: Namespace): FieldError[] {
  return (spec?.finalizers ?? []).flatMap((name) => {
    const problems = isQualifiedName(name);
    if (!name.includes('/') && !STANDARD_FINALIZERS.includes(name)) problems.push(NOT_STANDARD);
    return problems.map((problem) => invalid('spec.finalizers', name, problem));
  });
}

/** Labels that were wrong already do not stand in the way of other changes. */
function validateUpdate(namespace: Namespace, old: Namespace): FieldError[] {
  const errors = podSecurityLabelErrors(namespace.metadata.labels);
  const same = deepEqual(errors, podSecurityLabelErrors(old.metadata.labels));
  return [...validateFinalizers(namespace), ...(same ? [] : errors)];
}

function labelWithName({ metadata }: Namespace): void {
  if (!metadata.name) return;
  metadata.labels ??= {};
  metadata.labels['kubernetes.io/metadata.name'] = metadata.name;
}

/** `namespaces/finalize`: the one way to take the namespace's own finalizers away. */
const finalize: SubresourceStrategy<Namespace> = {
  prepareForUpdate(namespace, old) {
    keep(namespace, old, 'status');
  },
  validateUpdate: validateFinalizers,
};

const status: SubresourceStrategy<Namespace> = {
  prepareForUpdate(namespace, old) {
    keep(namespace, old, 'spec');
  },
  validateUpdate({ metadata, status: { phase = '' } = {} }) {
    const isDeleted = metadata.deletionTimestamp !== undefined;
    const wanted = isDeleted ? 'Terminating' : 'Active';
    const detail = `may only be '${wanted}' if \`deletionTimestamp\` is ${isDeleted ? 'not ' : ''}empty`;
    // The capital letter is upstream's.
    return phase === wanted ? [] : [invalid('status.Phase', phase, detail)];
  },
};

/** Namespaces. */
export const namespace = core<Namespace>({
  resource: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
  shortNames: ['ns'],
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  subresources: [
    { name: 'finalize', kind: 'Namespace', verbs: ['update'], strategy: finalize },
    statusSubresource('Namespace', status),
  ],
  strategy: {
    nameErrors: labelName,
    default(namespace) {
      labelWithName(namespace);
      namespace.status ??= {};
      namespace.status.phase ||= 'Active';
    },
    prepareForCreate(namespace) {
      // A generated name is known only now.
      labelWithName(namespace);
      namespace.status = { phase: 'Active' };
      namespace.spec ??= {};
      namespace.spec.finalizers ??= [];
      if (!namespace.spec.finalizers.includes(FINALIZER)) namespace.spec.finalizers.push(FINALIZER);
    },
    prepareForUpdate(namespace, old) {
      keep(namespace, old, 'status');
      namespace.spec ??= {};
      namespace.spec.finalizers = old.spec?.finalizers;
    },
    validate: (namespace) => [...validateFinalizers(namespace), ...podSecurityLabelErrors(namespace.metadata.labels)],
    validateUpdate,
    moreFinalizers: ({ spec }) => spec?.finalizers ?? [],
    markDeleting(namespace) {
      // A namespace has no grace: it ends when it is empty.
      delete namespace.metadata.deletionGracePeriodSeconds;
      namespace.status = { ...namespace.status, phase: 'Terminating' };
    },
    generation: false,
  },
  selectableFields: ({ status }) => ({ 'status.phase': status?.phase ?? '' }),
});
