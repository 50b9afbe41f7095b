/** What kind a patched object is of. */
import { badRequest } from '../../apimachinery/errors.ts';
import { type Json, parseApiVersion } from '../../apimachinery/meta.ts';
import { resourceByKind } from '../../resources/index.ts';
import { invalidPatch } from './patch-error.ts';

/**
 * Sees to it that a patched object is of the kind that it was of, in place. A strategic patch is read as what it patches, whatever it
 * says. Of the others Go takes one without apiVersion for something of no version, in which it finds no name: throws BadRequest then,
 * and Invalid for another kind.
 */
export function settlePatchedKind(
  type: string,
  patch: Json,
  patched: Json,
  expected: { apiVersion: string; kind: string },
  name: string,
): void {
  if (typeof patched !== 'object' || patched === null || Array.isArray(patched)) return;
  const [apiVersion, kind] = [patched['apiVersion'] ?? '', patched['kind'] ?? ''];
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return;
  if (type !== 'strategic') {
    if (apiVersion === '') {
      throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
    }
    if (apiVersion !== expected.apiVersion || (kind !== '' && kind !== expected.kind)) {
      throw invalidPatch(type, patch, patched, stranger(apiVersion, kind || expected.kind, expected));
    }
  }
  Object.assign(patched, expected);
}

/** Why Go cannot make of an object what is expected. */
function stranger(apiVersion: string, kind: string, expected: { apiVersion: string; kind: string }): string {
  if (apiVersion.split('/').length > 2) return `unexpected GroupVersion string: ${apiVersion}`;
  const { group, version } = parseApiVersion(apiVersion);
  if (resourceByKind(group, version, kind) === undefined) {
    return `no kind "${kind}" is registered for version "${apiVersion}" in scheme "pkg/runtime/scheme.go:111"`;
  }
  const internal = parseApiVersion(expected.apiVersion).group.split('.', 1)[0] || 'core';
  return `converting (${version}.${kind}) to (${internal}.${expected.kind}): unknown conversion`;
}
