/** What happens to a new object between admission and the store, after upstream's `rest.BeforeCreate`. */

import { settle } from '../../apimachinery/codec/index.ts';
import { badRequest, invalidObject, unknownError } from '../../apimachinery/errors.ts';
import type { JsonObject, KubeObject } from '../../apimachinery/meta.ts';
import { formatApiVersion, now } from '../../apimachinery/meta.ts';
import { randomSuffix } from '../../apimachinery/random.ts';
import { schemaFor } from '../../apimachinery/schema/index.ts';
import { validateObjectMeta } from '../../apimachinery/validation/meta.ts';
import type { Resource } from '../../resources/resource.ts';
import { storedResource } from './resource-name.ts';

/** Upstream's limit for the prefix of a generated name: 63 less the five random characters. */
const MAX_PREFIX = 58;

/** `generateName` plus five random characters, as upstream's `SimpleNameGenerator`. */
export function generateName(prefix: string): string {
  return prefix.slice(0, MAX_PREFIX) + randomSuffix(5);
}

/**
 * Checks that the object belongs to the namespace of the request, and puts it there.
 * Throws BadRequest as upstream's `EnsureObjectNamespaceMatchesRequestNamespace`.
 */
export function ensureNamespace(resource: Resource, object: KubeObject, namespace: string): void {
  const meta = object.metadata;
  if (!resource.namespaced) {
    delete meta.namespace;
    return;
  }
  if (meta.namespace !== undefined && meta.namespace !== '' && meta.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  meta.namespace = namespace;
}

/** Checks that the object has the name of the request. Throws BadRequest as upstream's `checkName`. */
export function checkName({ metadata }: KubeObject, name: string): void {
  const given = metadata.name ?? '';
  if (given === name) return;
  if (given === '') {
    const why = 'was undeterminable: name must be provided';
    throw badRequest(`the name of the object (${name} based on URL) ${why}`);
  }
  throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
}

const MAX_VERSION = (1n << 64n) - 1n;

/** Whether a text names a version; `0` and nothing name none. Throws a Status without a reason for what is no number, as upstream. */
export function isVersion(text = ''): boolean {
  if (text === '') return false;
  if (/^\d+$/.test(text) && BigInt(text) <= MAX_VERSION) return BigInt(text) !== 0n;
  const why = /^\d+$/.test(text) ? 'value out of range' : 'invalid syntax';
  throw unknownError(`strconv.ParseUint: parsing ${JSON.stringify(text)}: ${why}`);
}

/** Upstream's check, of what the store would take for a version, with upstream's odd answer. Throws a Status without a reason. */
export function refuseResourceVersion({ metadata }: KubeObject): void {
  if (!/^0*[1-9]\d*$/.test(metadata.resourceVersion ?? '')) return;
  throw unknownError('resourceVersion should not be set on objects to be created');
}

/** Gives the object its uid and creation time, in place, before admission looks at it. */
export function fillSystemFields(object: KubeObject): void {
  const meta = object.metadata;
  wipeSystemFields(object);
  meta.uid = crypto.randomUUID();
  meta.creationTimestamp = now();
  delete meta.resourceVersion;
}

/** Takes away what only the server says of an object (`WipeObjectMetaSystemFields`), in place. */
export function wipeSystemFields({ metadata }: KubeObject): void {
  delete metadata.uid;
  delete metadata.creationTimestamp;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.selfLink;
}

const byValue = new WeakMap<Resource, boolean>();

/** Whether Go holds the resource's `spec` by value: then it is there though nobody has sent one. */
function holdsSpec(resource: Resource): boolean {
  let held = byValue.get(resource);
  if (held === undefined) {
    held = schemaFor(formatApiVersion(resource), resource.kind)?.fields.get('spec')?.byValue ?? false;
    byValue.set(resource, held);
  }
  return held;
}

/** Fills in place what is absent and has a default. */
export function applyDefaults(resource: Resource, object: KubeObject & { spec?: unknown }): void {
  const { strategy } = resource;
  if (strategy.default === undefined) return;
  if (object.spec === undefined && resource.custom === undefined && holdsSpec(resource)) object.spec = {};
  strategy.default(object);
}

/** Names, prepares and validates a defaulted, admitted object, in place. Throws Invalid with every error found. */
export function beforeCreate(resource: Resource, object: KubeObject): void {
  const { strategy } = resource;
  const { metadata } = object;
  if ((metadata.name ?? '') === '' && metadata.generateName) metadata.name = generateName(metadata.generateName);
  strategy.prepareForCreate?.(object);
  if (hasGeneration(resource, object)) object.metadata.generation = 1;
  const errors = [
    ...validateObjectMeta(
      object.metadata,
      resource.namespaced,
      strategy.nameErrors,
      'metadata',
      strategy.plainFinalizers,
    ),
    ...(strategy.validate?.(object) ?? []),
  ];
  if (errors.length > 0) throw invalidObject(storedResource(resource), object.metadata.name ?? '', errors);
  settleObject(resource, object);
}

/** Brings a valid object into the form in which it is kept, in place. */
export function settleObject(resource: Resource, object: KubeObject): void {
  const schema = schemaFor(formatApiVersion(resource), resource.kind);
  if (schema !== undefined) settle(object as unknown as JsonObject, schema);
}

/** Whether objects of the resource count their spec's changes in `metadata.generation`. */
export function hasGeneration(resource: Resource, object: KubeObject): boolean {
  const { generation } = resource.strategy;
  return generation === undefined ? 'spec' in object : generation === true;
}
