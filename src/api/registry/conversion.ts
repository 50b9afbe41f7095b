/** Between the version that a client speaks and the one that is stored, where they differ. */
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { Resource } from '../../resources/resource.ts';

/** A stored text in the resource's own version. */
export function fromStored(resource: Resource, text: string): string {
  if (resource.conversion === undefined) return text;
  return JSON.stringify(resource.conversion.fromStored(JSON.parse(text) as KubeObject));
}

/** An object as the store keeps it. */
export function toStored(resource: Resource, object: KubeObject): KubeObject {
  return resource.conversion === undefined ? object : resource.conversion.toStored(object);
}

/** An object of one version of a resource in another. */
export function inVersion(resource: Resource, other: Resource, object: KubeObject): KubeObject {
  if (other === resource) return object;
  // A webhook converts from any version to any other.
  const stored = resource.conversion?.webhook === undefined ? toStored(resource, object) : object;
  return other.conversion?.fromStored(stored) ?? stored;
}
