/** Rules as upstream writes them into a refusal: `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`. */
import type { PolicyRule } from '../../durable-objects/cluster-rpc.ts';

/** Joins single permissions that differ by their verb alone (`CompactRules`). */
export function compact(singles: readonly PolicyRule[]): PolicyRule[] {
  const simple = new Map<string, PolicyRule>();
  const others: PolicyRule[] = [];
  for (const single of singles) {
    const { apiGroups = [], resources = [], resourceNames = [], nonResourceURLs, verbs = [] } = single;
    if (nonResourceURLs !== undefined) {
      others.push(single);
      continue;
    }
    const key = JSON.stringify([apiGroups, resources, resourceNames]);
    const known = simple.get(key);
    if (known === undefined) simple.set(key, { ...single, verbs: [...verbs] });
    else known.verbs?.push(...verbs);
  }
  return [...others, ...simple.values()];
}

/** A list as Go shows its strings: `["a" "b"]`. */
export const quoted = (values: readonly string[]): string =>
  `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;

/** One line for each rule, sorted, none twice (`CompactString`). */
export function describeRules(rules: readonly PolicyRule[]): string {
  const lines = rules.map(({ apiGroups, resources, nonResourceURLs, resourceNames, verbs }) => {
    const parts: [string, string[] | undefined][] = [
      ['APIGroups', apiGroups],
      ['Resources', resources],
      ['NonResourceURLs', nonResourceURLs],
      ['ResourceNames', resourceNames],
      ['Verbs', verbs],
    ];
    const said = parts.flatMap(([name, values]) => (values?.length ? [`${name}:${quoted(values)}`] : []));
    return `{${said.join(', ')}}`;
  });
  return [...new Set(lines)].sort().join('\n');
}
