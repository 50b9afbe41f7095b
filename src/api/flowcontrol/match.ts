/** Whether a flow schema is meant for a user, and for what a request does (upstream's `flowcontrol/rule.go`). */
import type {
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from '../../generated/types/flowcontrol.v1.ts';
import type { User } from '../authentication/user.ts';
import type { RequestInfo } from '../request-info.ts';

const ACCOUNT = 'system:serviceaccount:';

/** Whether the rules are for the user. */
export function isFor({ subjects = [] }: PolicyRulesWithSubjects, user: User): boolean {
  return subjects.some((subject) => names(subject, user));
}

function names({ kind, user, group, serviceAccount }: Subject, { name, groups }: User): boolean {
  switch (kind) {
    case 'User':
      return user?.name === '*' || user?.name === name;
    case 'Group':
      return group?.name === '*' || groups.includes(group?.name ?? '');
    case 'ServiceAccount': {
      const ofNamespace = `${ACCOUNT}${serviceAccount?.namespace ?? ''}:`;
      return serviceAccount?.name === '*'
        ? name.startsWith(ofNamespace)
        : name === ofNamespace + (serviceAccount?.name ?? '');
    }
    default:
      return false;
  }
}

/** Whether the rules are for what the request does. */
export function covers(
  { resourceRules = [], nonResourceRules = [] }: PolicyRulesWithSubjects,
  info: RequestInfo,
): boolean {
  return info.isResource
    ? resourceRules.some((rule) => coversResource(rule, info))
    : nonResourceRules.some((rule) => coversPath(rule, info));
}

function coversResource(rule: ResourcePolicyRule, info: RequestInfo): boolean {
  const { resource, subresource, namespace } = info;
  return (
    has(rule.verbs, info.verb) &&
    has(rule.resources, resource, subresource) &&
    has(rule.apiGroups, info.group) &&
    (namespace === '' ? rule.clusterScope === true : has(rule.namespaces, namespace))
  );
}

function coversPath({ verbs, nonResourceURLs = [] }: NonResourcePolicyRule, { verb, path }: RequestInfo): boolean {
  if (!has(verbs, verb)) return false;
  return nonResourceURLs.some((url) => {
    if (url === '*' || url === path) return true;
    const prefix = url.replace(/\*$/, '');
    return path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
  });
}

/** Whether a list has everything, or this. */
function has(list: readonly string[] = [], value: string, sub = ''): boolean {
  if (list[0] === '*') return true;
  return list.includes(sub === '' ? value : `${value}/${sub}`);
}
