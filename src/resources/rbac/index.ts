import { deepEqual } from '../../apimachinery/equal.ts';
import { type FieldError, invalid, required } from '../../apimachinery/field.ts';
import { pathSegmentName } from '../../apimachinery/validation/object-names.ts';
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  RoleRef,
  Subject,
} from '../../generated/types/rbac.v1.ts';
import { groupVersion } from '../group.ts';
import type { Resource } from '../resource.ts';
import { dns1123Subdomain } from '../validation/formats.ts';
import { check, unsupported } from '../validation/rules.ts';
import { labelSelector } from '../validation/selectors.ts';

const GROUP = 'rbac.authorization.k8s.io';
const rbac = groupVersion(GROUP, 'v1', { createOnUpdate: true });

function ruleErrors(rules: readonly PolicyRule[] | undefined, namespaced: boolean, errors: FieldError[]): void {
  rules?.forEach((rule, index) => {
    const at = `rules[${index}]`;
    if (!rule.verbs?.length) errors.push(required(`${at}.verbs`, 'verbs must contain at least one value'));
    if (rule.nonResourceURLs?.length) {
      const refuse = (why: string): void =>
        void errors.push(invalid(`${at}.nonResourceURLs`, rule.nonResourceURLs, why));
      if (namespaced) refuse('namespaced rules cannot apply to non-resource URLs');
      const mixed = rule.apiGroups?.length || rule.resources?.length || rule.resourceNames?.length;
      if (mixed) refuse('rules cannot apply to both regular resources and non-resource URLs');
      return;
    }
    if (!rule.apiGroups?.length) {
      errors.push(required(`${at}.apiGroups`, 'resource rules must supply at least one api group'));
    }
    if (!rule.resources?.length) {
      errors.push(required(`${at}.resources`, 'resource rules must supply at least one resource'));
    }
  });
}

interface Binding {
  roleRef?: RoleRef;
  subjects?: Subject[];
}

function defaultBinding(binding: Binding): void {
  binding.roleRef ??= {} as RoleRef;
  binding.roleRef.apiGroup ||= GROUP;
  for (const subject of binding.subjects ?? []) {
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= GROUP;
  }
}

function subjectErrors(subject: Subject, at: string, namespaced: boolean, errors: FieldError[]): void {
  const { kind = '', apiGroup = '', name = '' } = subject;
  if (name === '') errors.push(required(`${at}.name`));
  if (kind === 'ServiceAccount') {
    if (name !== '') dns1123Subdomain(name, `${at}.name`, errors);
    if (apiGroup !== '') errors.push(unsupported(`${at}.apiGroup`, apiGroup, ['']));
    if (!namespaced && !subject.namespace) errors.push(required(`${at}.namespace`));
  } else if (kind === 'User' || kind === 'Group') {
    if (apiGroup !== GROUP) errors.push(unsupported(`${at}.apiGroup`, apiGroup, [GROUP]));
  } else {
    errors.push(unsupported(`${at}.kind`, kind, ['ServiceAccount', 'User', 'Group']));
  }
}

function bindingErrors(binding: Binding, namespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const { apiGroup = '', kind = '', name = '' } = binding.roleRef ?? {};
  if (apiGroup !== GROUP) errors.push(unsupported('roleRef.apiGroup', apiGroup, [GROUP]));
  const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  if (!kinds.includes(kind)) errors.push(unsupported('roleRef.kind', kind, kinds));
  if (name === '') errors.push(required('roleRef.name'));
  else for (const problem of pathSegmentName(name, false)) errors.push(invalid('roleRef.name', name, problem));
  binding.subjects?.forEach((subject, index) => {
    subjectErrors(subject, `subjects[${index}]`, namespaced, errors);
  });
  return errors;
}

function bindingUpdateErrors(binding: Binding, old: Binding, namespaced: boolean): FieldError[] {
  const errors = bindingErrors(binding, namespaced);
  if (!deepEqual(binding.roleRef, old.roleRef)) {
    const { apiGroup = '', kind = '', name = '' } = binding.roleRef ?? {};
    // Upstream prints its Go struct here.
    errors.push(invalid('roleRef', { APIGroup: apiGroup, Kind: kind, Name: name }, 'cannot change roleRef'));
  }
  return errors;
}

function clusterRoleErrors(role: ClusterRole): FieldError[] {
  const errors: FieldError[] = [];
  ruleErrors(role.rules, false, errors);
  if (role.aggregationRule === undefined) return errors;
  const at = 'aggregationRule.clusterRoleSelectors';
  const selectors = role.aggregationRule.clusterRoleSelectors ?? [];
  if (selectors.length === 0)
    errors.push(required(at, 'at least one clusterRoleSelector required if aggregationRule is non-nil'));
  selectors.forEach((selector, index) => {
    const found = check(labelSelector, selector, `${at}[${index}]`);
    errors.push(...found);
    if (found.length > 0) errors.push(invalid(`${at}[${index}]`, null, 'invalid label selector.'));
  });
  return errors;
}

function roleErrors(role: Role): FieldError[] {
  const errors: FieldError[] = [];
  ruleErrors(role.rules, true, errors);
  return errors;
}

/** The resources of the group `rbac.authorization.k8s.io`. */
export const rbacResources: readonly Resource[] = [
  rbac<ClusterRoleBinding>({
    resource: 'clusterrolebindings',
    kind: 'ClusterRoleBinding',
    namespaced: false,
    strategy: {
      nameErrors: pathSegmentName,
      default: defaultBinding,
      validate: (binding) => bindingErrors(binding, false),
      validateUpdate: (binding, old) => bindingUpdateErrors(binding, old, false),
    },
  }),
  rbac<ClusterRole>({
    resource: 'clusterroles',
    kind: 'ClusterRole',
    namespaced: false,
    strategy: { nameErrors: pathSegmentName, validate: clusterRoleErrors },
  }),
  rbac<RoleBinding>({
    resource: 'rolebindings',
    kind: 'RoleBinding',
    namespaced: true,
    strategy: {
      nameErrors: pathSegmentName,
      default: defaultBinding,
      validate: (binding) => bindingErrors(binding, true),
      validateUpdate: (binding, old) => bindingUpdateErrors(binding, old, true),
    },
  }),
  rbac<Role>({
    resource: 'roles',
    kind: 'Role',
    namespaced: true,
    strategy: { nameErrors: pathSegmentName, validate: roleErrors },
  }),
];
