/** An owner is named once, after upstream's `dedupOwnerReferencesAndAddWarning`. */
import { deepEqual } from '../../apimachinery/equal.ts';
import type { KubeObject, OwnerReference } from '../../apimachinery/meta.ts';

const DUPLICATES =
  '.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ';

/** Drops owners that are named again, in place. Answers the warnings about them. */
export function dropRepeatedOwners({ metadata }: KubeObject): string[] {
  const owners = metadata.ownerReferences;
  if (owners === undefined || owners.length < 2) return [];
  const kept: OwnerReference[] = [];
  const repeated: string[] = [];
  for (const owner of owners) {
    if (kept.some((other) => deepEqual(other, owner))) repeated.push(owner.uid);
    else kept.push(owner);
  }
  if (repeated.length === 0) return [];
  metadata.ownerReferences = kept;
  return [DUPLICATES + repeated.join(', ')];
}
