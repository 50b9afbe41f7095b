/** Between objects and rows of the store. */
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { Resource } from '../../resources/resource.ts';
import { encodeText } from '../../store/text.ts';
import type { Encoded } from '../../store/types.ts';
import { toStored } from './conversion.ts';
import { storedResource } from './resource-name.ts';

/** An object as the store keeps it; its resourceVersion is left for the store to write. */
export function encode(resource: Resource, object: KubeObject): Encoded {
  const { labels, uid, ownerReferences } = object.metadata;
  return {
    text: encodeText(object),
    labels,
    fields: resource.selectableFields?.(object),
    uid: uid ?? '',
    owners: ownerReferences === undefined ? undefined : ownerReferences.map((owner) => owner.uid),
  };
}

/** {@link encode} for an object in the version of the request. */
export function encodeStored(resource: Resource, object: KubeObject): Encoded {
  return encode(storedResource(resource), toStored(resource, object));
}

/** The object that a stored text holds. */
export function decodeText<T extends KubeObject = KubeObject>(text: string): T {
  return JSON.parse(text) as T;
}

/** `namespace/name`, or `name` of a cluster-scoped object: the key of a row. */
export function keyOf(namespace: string | undefined, name: string): string {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

/** The inverse of {@link keyOf}. */
export function splitKey(key: string): { namespace: string; name: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { namespace: '', name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
