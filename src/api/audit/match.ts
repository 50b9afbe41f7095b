/** Which rule of a policy is a request's (upstream's `audit/policy/checker.go`). */
import type { User } from '../authentication/user.ts';
import { pathMatches } from '../authorization/covers.ts';
import type { RequestInfo } from '../request-info.ts';
import type { GroupResources, Level, Policy, PolicyRule, Stage } from './policy.ts';

/** What is to be noted down of a request. */
export interface Verdict {
  level: Level;
  omitStages: ReadonlySet<Stage>;
  omitManagedFields: boolean;
}

/** Judges requests by the first rule that matches; without one nothing is noted down. */
export class Judge {
  private readonly rules: readonly (readonly [PolicyRule, Verdict])[];
  private readonly otherwise: Verdict;

  constructor({ rules, omitStages = [], omitManagedFields = false }: Policy) {
    this.otherwise = { level: 'None', omitStages: new Set(omitStages), omitManagedFields };
    this.rules = rules.map((rule) => [
      rule,
      {
        level: rule.level,
        omitStages: new Set([...omitStages, ...(rule.omitStages ?? [])]),
        omitManagedFields: rule.omitManagedFields ?? omitManagedFields,
      },
    ]);
  }

  /** `user` is undefined where nobody knows who asks. */
  judge(info: RequestInfo, user: User | undefined): Verdict {
    for (const [rule, verdict] of this.rules) if (matches(rule, info, user)) return verdict;
    return this.otherwise;
  }
}

function matches(rule: PolicyRule, info: RequestInfo, user: User | undefined): boolean {
  const { users = [], userGroups = [], verbs = [], namespaces = [], resources = [], nonResourceURLs = [] } = rule;
  if (users.length > 0 && (user === undefined || !users.includes(user.name))) return false;
  if (userGroups.length > 0 && !user?.groups.some((group) => userGroups.includes(group))) return false;
  if (verbs.length > 0 && !verbs.includes(info.verb)) return false;
  if (namespaces.length > 0 || resources.length > 0) {
    if (!info.isResource) return false;
    if (namespaces.length > 0 && !namespaces.includes(info.namespace)) return false;
    return resources.length === 0 || resources.some((of) => matchesResource(of, info));
  }
  if (nonResourceURLs.length === 0) return true;
  return !info.isResource && nonResourceURLs.some((url) => pathMatches(url, info.path));
}

function matchesResource(of: GroupResources, { group, resource, subresource, name }: RequestInfo): boolean {
  const { resources = [], resourceNames = [] } = of;
  if ((of.group ?? '') !== group) return false;
  if (resources.length === 0) return true;
  if (resourceNames.length > 0 && !resourceNames.includes(name)) return false;
  const combined = subresource === '' ? resource : `${resource}/${subresource}`;
  return resources.some(
    (pattern) =>
      pattern === '*' ||
      pattern === combined ||
      pattern === `${resource}/*` ||
      (subresource !== '' && pattern === `*/${subresource}`),
  );
}
