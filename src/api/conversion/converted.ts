/** What a conversion webhook may have made of an object (upstream's `validateConvertedObject`, `restoreObjectMeta`). */
import { toMessage } from '../../apimachinery/field.ts';
import { type JsonObject, type KubeObject, parseApiVersion } from '../../apimachinery/meta.ts';
import { isObject } from '../../apimachinery/patch/values.ts';
import { validateAnnotations, validateLabels } from '../../apimachinery/validation/meta.ts';

/** What is wrong, and with what of it. */
export interface Problem {
  what: 'version' | 'object' | 'metadata';
  why: string;
}

/**
 * Whether the answer is the object in the version that was asked for; then its metadata becomes, in place, that of the object, but for
 * labels and annotations. Undefined where nothing is wrong.
 */
export function checkConverted(object: KubeObject, converted: unknown, apiVersion: string): Problem | undefined {
  if (!isObject(converted as JsonObject)) return { what: 'version', why: "Object 'Kind' is missing" };
  const answer = converted as JsonObject;
  const got = textOf(answer['apiVersion']);
  if (got !== apiVersion) {
    return { what: 'version', why: `invalid groupVersion (expected ${apiVersion}, received ${groupVersion(got)})` };
  }
  const kind = textOf(answer['kind']);
  if (kind !== object.kind) {
    return { what: 'version', why: `invalid kind (expected ${object.kind}, received ${kind})` };
  }
  const metadata = isObject(answer['metadata'] as JsonObject) ? (answer['metadata'] as JsonObject) : {};
  for (const [field, name] of IDENTITY) {
    const [was, is] = [object.metadata[field] ?? '', textOf(metadata[field])];
    if (was !== is) return { what: 'object', why: `must have the same ${name}: ${was} != ${is}` };
  }
  const why = restoreMetadata(object, answer);
  return why === undefined ? undefined : { what: 'metadata', why };
}

const IDENTITY = [
  ['name', 'name'],
  ['namespace', 'namespace'],
  ['uid', 'UID'],
] as const;

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function groupVersion(apiVersion: string): string {
  const { group, version } = parseApiVersion(apiVersion);
  return group === '' ? `/${version}` : apiVersion;
}

function restoreMetadata(object: KubeObject, answer: JsonObject): string | undefined {
  const said = answer['metadata'];
  if (said === undefined) return 'missing metadata in converted object';
  if (!isObject(said as JsonObject)) return `invalid metadata of type ${goType(said)} in converted object`;
  const metadata = structuredClone(object.metadata);
  for (const field of ['labels', 'annotations'] as const) {
    const value = (said as JsonObject)[field];
    if (value === undefined || value === null) {
      delete metadata[field];
      continue;
    }
    if (!isObject(value)) return `invalid metadata.${field} of type ${goType(value)} in converted object`;
    for (const [key, text] of Object.entries(value)) {
      if (typeof text === 'string') continue;
      return `metadata.${field}[${key}] must be a string, but is ${goType(text)} in converted object`;
    }
    const texts = value as Record<string, string>;
    const errors =
      field === 'labels' ? validateLabels(texts, 'metadata.labels') : validateAnnotations(texts, 'metadata.annotation');
    const messages = errors.map(toMessage);
    if (messages.length > 0) return messages.length === 1 ? messages[0] : `[${messages.join(', ')}]`;
    metadata[field] = texts;
  }
  answer['metadata'] = metadata as unknown as JsonObject;
  return undefined;
}

function goType(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'object') return 'map[string]interface {}';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  return typeof value === 'boolean' ? 'bool' : 'string';
}
