/** Label selectors as objects carry them. */
export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key?: string; operator?: string; values?: string[] }[];
}

/** Whether the selector holds for the labels. An empty selector selects everything, an absent one nothing. */
export function selects(selector: LabelSelector | undefined, labels: Record<string, string> | undefined): boolean {
  if (selector === undefined) return false;
  const value = (key: string): string | undefined =>
    labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
  for (const [key, wanted] of Object.entries(selector.matchLabels ?? {})) if (value(key) !== wanted) return false;
  for (const { key = '', operator, values = [] } of selector.matchExpressions ?? []) {
    const actual = value(key);
    const holds =
      operator === 'In'
        ? actual !== undefined && values.includes(actual)
        : operator === 'NotIn'
          ? actual === undefined || !values.includes(actual)
          : operator === 'Exists'
            ? actual !== undefined
            : operator === 'DoesNotExist' && actual === undefined;
    if (!holds) return false;
  }
  return true;
}

/** Whether the selector has no requirement, and so selects everything. */
export function selectsEverything(selector: LabelSelector | undefined): boolean {
  return (
    selector !== undefined &&
    Object.keys(selector.matchLabels ?? {}).length === 0 &&
    (selector.matchExpressions ?? []).length === 0
  );
}

/** The selector as in a query string: `app=web,tier in (a,b),!old`. */
export function formatSelector(selector: LabelSelector): string {
  const parts = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  for (const { key = '', operator, values = [] } of selector.matchExpressions ?? []) {
    if (operator === 'Exists') parts.push(key);
    else if (operator === 'DoesNotExist') parts.push(`!${key}`);
    else parts.push(`${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`);
  }
  return parts.join(',');
}

/** The same labels in the order of their keys, as the API shows maps. */
export function sorted(labels: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
