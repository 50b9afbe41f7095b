/** How quotas see an object: what it uses of what, and in which scopes it is (upstream's `quota.Evaluator`). */
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { ResourceQuota, ScopedResourceSelectorRequirement } from '../../generated/types/core.v1.ts';
import type { ResourceList } from './resource-list.ts';

/** One object as quotas see it; plain data. */
export interface Measured {
  usage: ResourceList;
  /** The scopes that the object is in. */
  scopes: readonly string[];
  /** The names that scopes with values compare with. */
  scopeValues: Readonly<Record<string, readonly string[]>>;
  /** Containers that do not say what a quota of this resource wants said, by resource. */
  unspecified?: Readonly<Record<string, readonly string[]>>;
}

export interface Evaluator {
  group: string;
  resource: string;
  /** Subresources, '' for none, whose updates may use more. A create always does. */
  updates: readonly string[];
  /** Whether a quota's resource is one that these objects use (`MatchingResources`). */
  matches(name: string): boolean;
  /** `now` in ms since the epoch. */
  measure(object: KubeObject, now: number): Measured;
}

/** What a quota restricts itself to, its scopes included (`getScopeSelectorsFromQuota`). */
function scopeSelectors({ spec }: ResourceQuota): ScopedResourceSelectorRequirement[] {
  const scopes = (spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' }));
  return [...scopes, ...(spec?.scopeSelector?.matchExpressions ?? [])];
}

/** Whether all of the quota's scopes hold for the object. */
export function inScope(quota: ResourceQuota, measured: Measured): boolean {
  return scopeSelectors(quota).every((selector) => holds(selector, measured));
}

function holds(selector: ScopedResourceSelectorRequirement, { scopes, scopeValues }: Measured): boolean {
  const { scopeName = '', operator, values = [] } = selector;
  const own = Object.hasOwn(scopeValues, scopeName) ? scopeValues[scopeName] : undefined;
  if (operator === 'Exists' || own === undefined) return scopes.includes(scopeName);
  // Nothing named is matched by what asks for an absence.
  if (own.length === 0) return operator !== 'In';
  return own.some((name) => (operator === 'In') === values.includes(name) && operator !== 'DoesNotExist');
}
