/** What a changed object says of itself: what has to be so, and what is the server's to say. */
import { conflict, invalidObject, MODIFIED } from '../../apimachinery/errors.ts';
import { invalid } from '../../apimachinery/field.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { Resource } from '../../resources/resource.ts';
import { checkName, ensureNamespace, isVersion } from './create.ts';

/** The namespace, name, uid and resourceVersion that a body may carry must be those of the object. Throws a Status. */
export function checkVersion(resource: Resource, next: KubeObject, old: KubeObject, patched: boolean): void {
  const { name, uid, resourceVersion = '' } = next.metadata;
  if (patched) ensureNamespace(resource, next, old.metadata.namespace ?? '');
  if (patched || name) checkName(next, old.metadata.name);
  if (uid !== undefined && uid !== '' && uid !== old.metadata.uid) {
    if (patched) {
      const changed = invalid('metadata.uid', uid, 'field is immutable');
      // Upstream finds it with the kind's own check, too.
      throw invalidObject(resource, old.metadata.name, [changed, changed]);
    }
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`;
    throw conflict(resource, old.metadata.name, why);
  }
  if (resourceVersion === old.metadata.resourceVersion) return;
  if (!isVersion(resourceVersion)) {
    if (resource.strategy.unconditionalUpdate !== false) return;
    throw invalidObject({ group: resource.group, kind: resource.resource }, name ?? '', [
      invalid('metadata.resourceVersion', 0, 'must be specified for an update'),
    ]);
  }
  throw conflict(resource, old.metadata.name, MODIFIED);
}

/** What the server owns stays as it was. */
export function carryMetadata(next: KubeObject, old: KubeObject): void {
  const meta = next.metadata;
  const was = old.metadata;
  meta.name = was.name;
  for (const field of ['namespace', 'uid', 'creationTimestamp', 'generation'] as const) {
    if (was[field] === undefined) delete meta[field];
    else Object.assign(meta, { [field]: was[field] });
  }
  // That an object is being deleted cannot be taken back; to say so of one that is not is found wrong later.
  if (was.deletionTimestamp !== undefined) meta.deletionTimestamp = was.deletionTimestamp;
  meta.deletionGracePeriodSeconds ??= was.deletionGracePeriodSeconds;
  if (meta.deletionGracePeriodSeconds === undefined) delete meta.deletionGracePeriodSeconds;
  delete meta.selfLink;
}
