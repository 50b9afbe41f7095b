/** Who may do what: `system:masters`, then the Node authorizer, then RBAC. Allowed by nobody is denied. */
import type { BindingFact, PolicyRule, RoleFact, Subject } from '../../durable-objects/cluster-rpc.ts';
import { MASTERS, type User } from '../authentication/user.ts';
import type { Attributes } from './attributes.ts';
import { nodeMay } from './node-authorizer.ts';

export interface Decision {
  allowed: boolean;
  reason: string;
}

interface Grant {
  /** Empty: in every namespace and cluster-wide. */
  namespace: string;
  rules: readonly PolicyRule[];
  reason: string;
}

/** Roles and bindings, indexed by subject. */
export class Authorizer {
  private readonly grants = new Map<string, Grant[]>();

  constructor(roles: readonly RoleFact[], bindings: readonly BindingFact[]) {
    const rulesOf = new Map(roles.map((role) => [`${role.namespace}/${role.name}`, role.rules]));
    for (const binding of bindings) {
      const clusterRole = binding.roleRef.kind === 'ClusterRole';
      const rules = rulesOf.get(`${clusterRole ? '' : binding.namespace}/${binding.roleRef.name}`);
      if (rules === undefined) continue;
      for (const subject of binding.subjects) this.add(binding, subject, rules);
    }
  }

  /** The decision of `system:masters`, Node and RBAC. */
  authorize(user: User, attributes: Attributes): Decision {
    if (user.groups.includes(MASTERS)) return { allowed: true, reason: '' };
    if (nodeMay(user, attributes)) return { allowed: true, reason: '' };
    for (const subject of subjectsOf(user)) {
      for (const grant of this.grants.get(subject) ?? []) {
        if (grant.namespace !== '' && grant.namespace !== attributes.namespace) continue;
        if (grant.rules.some((rule) => allows(rule, attributes))) return { allowed: true, reason: grant.reason };
      }
    }
    return { allowed: false, reason: '' };
  }

  /** Every rule that a user has in a namespace, for SelfSubjectRulesReview. */
  rulesFor(user: User, namespace: string): PolicyRule[] {
    return subjectsOf(user)
      .flatMap((subject) => this.grants.get(subject) ?? [])
      .filter((grant) => grant.namespace === '' || grant.namespace === namespace)
      .flatMap((grant) => grant.rules);
  }

  private add(binding: BindingFact, subject: Subject, rules: readonly PolicyRule[]): void {
    const key = subjectKey(subject, binding.namespace);
    const kind = binding.namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding';
    const where = binding.namespace === '' ? binding.name : `${binding.name}/${binding.namespace}`;
    const whom = subject.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace}` : subject.name;
    const reason =
      `RBAC: allowed by ${kind} "${where}" of ${binding.roleRef.kind} "${binding.roleRef.name}" ` +
      `to ${subject.kind} "${whom}"`;
    const list = this.grants.get(key) ?? [];
    list.push({ namespace: binding.namespace, rules, reason });
    this.grants.set(key, list);
  }
}

function subjectKey(subject: Subject, bindingNamespace: string): string {
  if (subject.kind !== 'ServiceAccount') return `${subject.kind}:${subject.name}`;
  return `User:system:serviceaccount:${subject.namespace ?? bindingNamespace}:${subject.name}`;
}

function subjectsOf(user: User): string[] {
  return [`User:${user.name}`, ...user.groups.map((group) => `Group:${group}`)];
}

const has = (list: readonly string[] | undefined, value: string): boolean =>
  list !== undefined && (list.includes(value) || list.includes('*'));

/** Whether a rule allows the request (`rbac.RuleAllows`). */
export function allows(rule: PolicyRule, attributes: Attributes): boolean {
  if (!has(rule.verbs, attributes.verb)) return false;
  if (!attributes.isResource) {
    return (rule.nonResourceURLs ?? []).some(
      (url) =>
        url === '*' || url === attributes.path || (url.endsWith('*') && attributes.path.startsWith(url.slice(0, -1))),
    );
  }
  const { resource, subresource } = attributes;
  const combined = subresource === '' ? resource : `${resource}/${subresource}`;
  const resources = rule.resources ?? [];
  const named = has(resources, combined) || (subresource !== '' && resources.includes(`*/${subresource}`));
  if (!has(rule.apiGroups, attributes.group) || !named) return false;
  const names = rule.resourceNames ?? [];
  return names.length === 0 || names.includes(attributes.name);
}
