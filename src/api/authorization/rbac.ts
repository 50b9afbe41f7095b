/** Role-based access control: roles and bindings, indexed by subject and namespace so that a decision looks at the user's own rules alone. */
import type { BindingFact, PolicyRule, RoleFact, Subject } from '../../durable-objects/cluster-rpc.ts';
import type { User } from '../authentication/user.ts';
import type { Attributes, Decision } from './attributes.ts';
import { hasResource, pathMatches } from './covers.ts';

/** One subject of one binding. */
interface Grant {
  binding: BindingFact;
  subject: Subject;
  /** Upstream goes through bindings in this order, those of the cluster first. */
  order: number;
  /** Undefined where the role does not exist. */
  rules: readonly PolicyRule[] | undefined;
}

/** A role that a binding names and that is not there. */
export type MissingRole = BindingFact['roleRef'];

/** What one user has: cluster-wide under the empty name. */
type Grants = ReadonlyMap<string, readonly Grant[]>;

export class Rbac {
  private readonly bySubject = new Map<string, Grant[]>();
  /** Users of known tokens are the same object each time. */
  private readonly byUser = new WeakMap<User, Grants>();

  constructor(roles: readonly RoleFact[], bindings: readonly BindingFact[]) {
    const rulesOf = new Map(roles.map((role) => [`${role.namespace}/${role.name}`, role.rules]));
    const ordered = [
      ...bindings.filter(({ namespace }) => namespace === ''),
      ...bindings.filter(({ namespace }) => namespace !== ''),
    ];
    ordered.forEach((binding, order) => {
      const { kind, name } = binding.roleRef;
      const rules = rulesOf.get(`${kind === 'ClusterRole' ? '' : binding.namespace}/${name}`);
      for (const subject of binding.subjects) this.add({ binding, subject, order, rules });
    });
  }

  /** Whether a rule of the user's allows it. */
  authorize(user: User, attributes: Attributes): Decision {
    const missing: string[] = [];
    for (const grant of this.grantsOf(user, attributes.namespace)) {
      if (grant.rules === undefined) missing.push(missingRole(grant.binding.roleRef));
      else if (grant.rules.some((rule) => allows(rule, attributes))) return { allowed: true, reason: describe(grant) };
    }
    const texts = [...new Set(missing)];
    const problems = texts.length > 1 ? `[${texts.join(', ')}]` : (texts[0] ?? '');
    return { allowed: false, reason: problems === '' ? '' : `RBAC: ${problems}` };
  }

  /** Every rule that a user has in a namespace, and cluster-wide (`RulesFor`); and the roles of bindings that there are not. */
  rulesFor(user: User, namespace: string): { rules: PolicyRule[]; missing: MissingRole[] } {
    const grants = this.grantsOf(user, namespace);
    return {
      rules: grants.flatMap(({ rules }) => rules ?? []),
      missing: grants.flatMap(({ rules, binding }) => (rules === undefined ? [binding.roleRef] : [])),
    };
  }

  private grantsOf(user: User, namespace: string): readonly Grant[] {
    let grants = this.byUser.get(user);
    if (grants === undefined) {
      grants = this.collect(user);
      this.byUser.set(user, grants);
    }
    const everywhere = grants.get('') ?? [];
    const here = namespace === '' ? [] : (grants.get(namespace) ?? []);
    return here.length === 0 ? everywhere : [...everywhere, ...here];
  }

  private collect(user: User): Grants {
    const subjects = [`User:${user.name}`, ...user.groups.map((group) => `Group:${group}`)];
    const all = [...new Set(subjects)].flatMap((subject) => this.bySubject.get(subject) ?? []);
    all.sort((a, b) => a.order - b.order || place(a) - place(b));
    const grants = new Map<string, Grant[]>();
    all.forEach((grant, index) => {
      // The first of a binding's subjects that applies is the one that is told of.
      if (all[index - 1]?.order === grant.order) return;
      const { namespace } = grant.binding;
      const list = grants.get(namespace);
      if (list === undefined) grants.set(namespace, [grant]);
      else list.push(grant);
    });
    return grants;
  }

  private add(grant: Grant): void {
    const key = subjectKey(grant.subject, grant.binding.namespace);
    const list = this.bySubject.get(key);
    if (list === undefined) this.bySubject.set(key, [grant]);
    else list.push(grant);
  }
}

const place = ({ binding, subject }: Grant): number => binding.subjects.indexOf(subject);

function subjectKey({ kind, name, namespace }: Subject, bindingNamespace: string): string {
  if (kind !== 'ServiceAccount') return `${kind}:${name}`;
  return `User:system:serviceaccount:${namespace || bindingNamespace}:${name}`;
}

/** What is said of a role that is not there. */
export function missingRole({ kind, name }: MissingRole): string {
  return `${kind.toLowerCase()}.rbac.authorization.k8s.io ${JSON.stringify(name)} not found`;
}

function describe({ binding, subject }: Grant): string {
  const { name, namespace, roleRef } = binding;
  const kind = namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding';
  const where = namespace === '' ? name : `${name}/${namespace}`;
  const whom = subject.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace || namespace}` : subject.name;
  const role = `${roleRef.kind} ${JSON.stringify(roleRef.name)}`;
  return `RBAC: allowed by ${kind} ${JSON.stringify(where)} of ${role} to ${subject.kind} ${JSON.stringify(whom)}`;
}

const has = (list: readonly string[] | undefined, value: string): boolean =>
  list !== undefined && (list.includes(value) || list.includes('*'));

/** Whether a rule allows the request (`rbac.RuleAllows`). */
export function allows(rule: PolicyRule, attributes: Attributes): boolean {
  if (!has(rule.verbs, attributes.verb)) return false;
  if (!attributes.isResource) {
    return (rule.nonResourceURLs ?? []).some((url) => pathMatches(url, attributes.path));
  }
  if (!has(rule.apiGroups, attributes.group)) return false;
  const { resource, subresource } = attributes;
  if (!hasResource(rule.resources ?? [], subresource === '' ? resource : `${resource}/${subresource}`)) return false;
  const names = rule.resourceNames ?? [];
  return names.length === 0 || names.includes(attributes.name);
}
