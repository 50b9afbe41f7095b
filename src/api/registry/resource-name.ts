/**
 * A served resource by name, as it crosses an RPC: `<group>/<version>/<plural>`, `core` for the empty group. That of a custom resource says
 * as of when its definition is: `…@<resourceVersion>`.
 */
import { badRequest } from '../../apimachinery/errors.ts';
import { type KubeObject, parseApiVersion } from '../../apimachinery/meta.ts';
import { findResource, resourceById } from '../../resources/index.ts';
import type { Resource } from '../../resources/resource.ts';

/** The name of a resource. */
export function nameOf(resource: Resource): string {
  const name = `${resource.group === '' ? 'core' : resource.group}/${resource.version}/${resource.resource}`;
  return resource.custom === undefined ? name : `${name}@${resource.custom.resourceVersion}`;
}

/** The definition that a custom resource's name speaks of, and the version of the resource; undefined for a built-in one. */
export function definitionNamed(
  name: string,
): { definition: string; version: string; resourceVersion: string } | undefined {
  const [, group, version = '', plural, resourceVersion] = /^([^/]+)\/([^/]+)\/([^@]+)@(\d+)$/.exec(name) ?? [];
  return resourceVersion === undefined ? undefined : { definition: `${plural}.${group}`, version, resourceVersion };
}

/** The inverse of {@link nameOf} for built-in resources. Throws BadRequest for a name that nothing has. */
export function resourceNamed(name: string): Resource {
  const [group = '', version = '', plural = ''] = name.split('/');
  const resource = findResource(group === 'core' ? '' : group, version, plural);
  if (resource === undefined) throw badRequest(`unknown resource ${name}`);
  return resource;
}

/** The resource in whose version objects are kept. */
export function storedResource(resource: Resource): Resource {
  const { custom, storedAs } = resource;
  if (custom !== undefined) return custom.versions.get(custom.storage) ?? resource;
  return storedAs === undefined ? resource : (resourceById(storedAs) ?? resource);
}

/** The resource of the version that a kept object says it is of: another than the stored one's, where that has changed since. */
export function keptResource(resource: Resource, { apiVersion = '' }: KubeObject): Resource {
  return resource.custom?.versions.get(parseApiVersion(apiVersion).version) ?? storedResource(resource);
}
