/** Whether rules grant all that others do (`validation.Covers`): nobody gives away more than they hold. */
import type { PolicyRule } from '../../durable-objects/cluster-rpc.ts';

/** Single permissions of `rules` that `owned` does not grant; none: it covers them. */
export function uncovered(owned: readonly PolicyRule[], rules: readonly PolicyRule[]): PolicyRule[] {
  return rules.flatMap(breakdown).filter((single) => !owned.some((rule) => covers(rule, single)));
}

/** One rule for each verb, group, resource and name, or verb and path (`BreakdownRule`). */
export function breakdown({ verbs = [], apiGroups = [], resources = [], ...rest }: PolicyRule): PolicyRule[] {
  const { resourceNames = [], nonResourceURLs = [] } = rest;
  const names = resourceNames.length === 0 ? [undefined] : resourceNames;
  const single: PolicyRule[] = [];
  for (const group of apiGroups) {
    for (const resource of resources) {
      for (const verb of verbs) {
        for (const name of names) {
          const named = name === undefined ? {} : { resourceNames: [name] };
          single.push({ verbs: [verb], apiGroups: [group], resources: [resource], ...named });
        }
      }
    }
  }
  return [
    ...single,
    ...nonResourceURLs.flatMap((url) => verbs.map((verb) => ({ verbs: [verb], nonResourceURLs: [url] }))),
  ];
}

function covers(owned: PolicyRule, single: PolicyRule): boolean {
  const all = (of: 'verbs' | 'apiGroups'): boolean =>
    owned[of]?.includes('*') === true || (single[of] ?? []).every((value) => owned[of]?.includes(value));
  const names = owned.resourceNames ?? [];
  const wanted = single.resourceNames ?? [];
  const named = names.length === 0 || (wanted.length > 0 && wanted.every((name) => names.includes(name)));
  return (
    all('verbs') &&
    all('apiGroups') &&
    named &&
    (single.resources ?? []).every((resource) => hasResource(owned.resources ?? [], resource)) &&
    (single.nonResourceURLs ?? []).every((path) => (owned.nonResourceURLs ?? []).some((url) => pathMatches(url, path)))
  );
}

/** Whether a list of resources has this one, `pods/log` also as `*`+`/log` (`ResourceMatches`). */
export function hasResource(resources: readonly string[], resource: string): boolean {
  if (resources.includes('*') || resources.includes(resource)) return true;
  const slash = resource.indexOf('/');
  return slash >= 0 && resources.includes(`*${resource.slice(slash)}`);
}

/** Whether a path is meant: by itself, or by what it begins with where an asterisk ends the pattern. */
export function pathMatches(pattern: string, path: string): boolean {
  return pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.replace(/\*+$/, '')));
}
