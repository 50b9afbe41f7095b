/** Two definitions of one group cannot claim the same name, after upstream's `status.NamingConditionController`. */

import { findCondition, withCondition } from '../../apimachinery/conditions.ts';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionStatus,
} from '../../generated/types/apiextensions.v1.ts';

interface Taken {
  /** Plural, singular and short names share one space; kinds and list kinds another. */
  resources: ReadonlySet<string>;
  kinds: ReadonlySet<string>;
}

/** What the other definitions of a group have been given. */
export function takenBy(others: readonly CustomResourceDefinition[]): Taken {
  const names = others.map(({ status }) => status?.acceptedNames ?? {});
  return {
    resources: new Set(
      names.flatMap(({ plural, singular, shortNames }) => [plural, singular, ...(shortNames ?? [])]).filter(isName),
    ),
    kinds: new Set(names.flatMap(({ kind, listKind }) => [kind, listKind]).filter(isName)),
  };
}

const isName = (name: string | undefined): name is string => name !== undefined && name !== '';

interface Conflict {
  reason: string;
  message: string;
}

const inUse = (name: string): string => `${JSON.stringify(name)} is already in use`;

/** The names that the definition gets, and why it does not get all that it asks for. */
function accept(
  requested: CustomResourceDefinitionNames,
  current: CustomResourceDefinitionNames,
  taken: Taken,
): { accepted: CustomResourceDefinitionNames; conflict: Conflict | undefined } {
  const accepted: CustomResourceDefinitionNames = { ...current };
  let conflict: Conflict | undefined;
  const claim = (
    field: 'plural' | 'singular' | 'kind' | 'listKind',
    space: ReadonlySet<string>,
    reason: string,
  ): void => {
    const name = requested[field] ?? '';
    if (isName(name) && space.has(name)) conflict = { reason, message: inUse(name) };
    else if (isName(name)) accepted[field] = name;
    else delete accepted[field];
  };
  claim('plural', taken.resources, 'PluralConflict');
  claim('singular', taken.resources, 'SingularConflict');
  const short = requested.shortNames ?? [];
  const doubles = short.filter((name) => taken.resources.has(name));
  if (doubles.length > 0) conflict = { reason: 'ShortNamesConflict', message: doubles.map(inUse).join(', ') };
  else if (short.length > 0) accepted.shortNames = short;
  else delete accepted.shortNames;
  claim('kind', taken.kinds, 'KindConflict');
  claim('listKind', taken.kinds, 'ListKindConflict');
  if (requested.categories?.length) accepted.categories = requested.categories;
  else delete accepted.categories;
  return { accepted, conflict };
}

/** The status with the names that were accepted, and the conditions that follow from them. `at` in ms since the epoch. */
export function withNames(
  definition: CustomResourceDefinition,
  taken: Taken,
  at: number,
): CustomResourceDefinitionStatus {
  const { spec = {}, status = {} } = definition;
  const { accepted, conflict } = accept(spec.names ?? {}, status.acceptedNames ?? {}, taken);
  const named =
    conflict === undefined
      ? { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
      : { type: 'NamesAccepted', status: 'False', ...conflict };
  let conditions = withCondition(status.conditions, named, at);
  // What is established once stays so, whatever others claim later.
  if (findCondition(status.conditions, 'Established')?.status !== 'True') {
    const established =
      conflict === undefined
        ? { status: 'True', reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' }
        : { status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' };
    conditions = withCondition(conditions, { type: 'Established', ...established }, at);
  }
  return { ...status, acceptedNames: accepted, conditions: withApproval(definition, conditions, at) };
}

const APPROVAL = 'api-approved.kubernetes.io';

/** Groups of Kubernetes' own need a word that they were looked at (`apiapproval.KubernetesAPIApprovalPolicyConformantConditionController`). */
function withApproval(
  { spec, metadata }: CustomResourceDefinition,
  conditions: NonNullable<CustomResourceDefinitionStatus['conditions']>,
  at: number,
): NonNullable<CustomResourceDefinitionStatus['conditions']> {
  if (!/(?:^|\.)(?:k8s|kubernetes)\.io$/.test(spec?.group ?? '')) return conditions;
  const type = 'KubernetesAPIApprovalPolicyConformant';
  const approval = metadata.annotations?.[APPROVAL] ?? '';
  const isUnapproved = approval.startsWith('unapproved');
  const condition =
    approval === ''
      ? {
          status: 'False',
          reason: 'MissingAnnotation',
          message: `protected groups must have approval annotation "${APPROVAL}", see https://github.com/kubernetes/enhancements/pull/1111`,
        }
      : isUnapproved
        ? { status: 'False', reason: 'UnapprovedAPI', message: `not approved: ${JSON.stringify(approval)}` }
        : { status: 'True', reason: 'ApprovedAnnotation', message: `approved in ${approval}` };
  return withCondition(conditions, { type, ...condition }, at);
}
