/** What of the default policy is missing in a cluster (`rbac/reconciliation`). What was added to it by others stays. */
import { deepEqual } from '../../../apimachinery/equal.ts';
import type { KubeObject } from '../../../apimachinery/meta.ts';
import type { ClusterRole, ClusterRoleBinding, Subject } from '../../../generated/types/rbac.v1.ts';
import { uncovered } from '../../authorization/covers.ts';
import { AUTOUPDATE, type PolicyObject } from './index.ts';

type Fields = Partial<
  Pick<ClusterRole, 'rules' | 'aggregationRule'> & Pick<ClusterRoleBinding, 'subjects' | 'roleRef'>
>;

/** What to do about one object. */
export type Repair =
  | { do: 'nothing' }
  | { do: 'create'; object: PolicyObject }
  | { do: 'update'; object: KubeObject }
  /** A roleRef cannot be changed. */
  | { do: 'replace'; object: PolicyObject };

/** Compares an object with what it should hold at least. Its labels and annotations go before ours. */
export function repair(expected: PolicyObject, existing: (KubeObject & Fields) | undefined): Repair {
  if (existing === undefined) return { do: 'create', object: expected };
  const meta = existing.metadata;
  if (meta.annotations?.[AUTOUPDATE] === 'false') return { do: 'nothing' };
  const wanted: Fields = expected;
  if (!deepEqual(wanted.roleRef, existing.roleRef)) return { do: 'replace', object: expected };
  const object: KubeObject & Fields = {
    ...existing,
    metadata: {
      ...meta,
      labels: { ...expected.metadata.labels, ...meta.labels },
      annotations: { ...expected.metadata.annotations, ...meta.annotations },
    },
  };
  const rules = uncovered(existing.rules ?? [], wanted.rules ?? []);
  if (rules.length > 0) object.rules = [...(existing.rules ?? []), ...rules];
  const subjects = missingSubjects(existing.subjects ?? [], wanted.subjects ?? []);
  if (subjects.length > 0) object.subjects = [...(existing.subjects ?? []), ...subjects];
  const selectors = existing.aggregationRule?.clusterRoleSelectors ?? [];
  const more = (wanted.aggregationRule?.clusterRoleSelectors ?? []).filter(
    (selector) => !selectors.some((other) => deepEqual(other, selector)),
  );
  if (more.length > 0) object.aggregationRule = { clusterRoleSelectors: [...selectors, ...more] };
  return deepEqual(object, existing) ? { do: 'nothing' } : { do: 'update', object };
}

const missingSubjects = (existing: readonly Subject[], wanted: readonly Subject[]): Subject[] =>
  wanted.filter((subject) => !existing.some((other) => deepEqual(other, subject)));
