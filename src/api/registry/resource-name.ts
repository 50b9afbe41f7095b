/** A served resource by name, as it crosses an RPC: `<group>/<version>/<plural>`, `core` for the empty group. */
import { badRequest } from '../../apimachinery/errors.ts';
import { findResource, resourceById } from '../../resources/index.ts';
import type { Resource } from '../../resources/resource.ts';

/** The name of a resource. */
export function nameOf(resource: Resource): string {
  return `${resource.group === '' ? 'core' : resource.group}/${resource.version}/${resource.resource}`;
}

/** The inverse of {@link nameOf}. Throws BadRequest for a name that nothing has. */
export function resourceNamed(name: string): Resource {
  const [group = '', version = '', plural = ''] = name.split('/');
  const resource = findResource(group === 'core' ? '' : group, version, plural);
  if (resource === undefined) throw badRequest(`unknown resource ${name}`);
  return resource;
}

/** The resource in whose version objects are kept. */
export function storedResource(resource: Resource): Resource {
  return resource.storedAs === undefined ? resource : (resourceById(resource.storedAs) ?? resource);
}
