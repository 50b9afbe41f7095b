/** The annotation of kubectl's client-side apply, which `kubectl apply --server-side` takes over (upstream's `lastAppliedManager`). */
import type { Json, JsonObject, KubeObject } from '../meta.ts';
import type { Subject } from './changes.ts';
import { compare } from './compare.ts';
import { Conflicts } from './conflict.ts';
import { stableJson } from './element.ts';
import { fieldsOf } from './fields-of.ts';
import { difference, type FieldSet, isEmpty } from './fieldset.ts';

/** The one manager for which the annotation counts. */
export const KUBECTL = 'kubectl';
const ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';
/** Upstream's limit of all annotations together. */
const MAX_ANNOTATIONS = 256 * 1024;

/** The conflicts that are left when the fields that client-side apply wrote, and nobody changed since, are no conflict. */
export function withoutLastApplied(error: Conflicts, subject: Subject, live: KubeObject): Conflicts | undefined {
  const allowed = lastAppliedFields(subject, live);
  if (allowed === undefined) return error;
  const conflicts = error.conflicts
    .map(({ manager, fields }) => ({ manager, fields: difference(fields, allowed) }))
    .filter(({ fields }) => !isEmpty(fields));
  return conflicts.length === 0 ? undefined : new Conflicts(conflicts);
}

function lastAppliedFields({ type, apiVersion }: Subject, live: KubeObject): FieldSet | undefined {
  const text = live.metadata.annotations?.[ANNOTATION];
  if (!text) return undefined;
  let last: JsonObject;
  try {
    last = JSON.parse(text) as JsonObject;
  } catch {
    return undefined;
  }
  if (last === null || last['apiVersion'] !== apiVersion) return undefined;
  const found = compare(type, live as unknown as Json, last, 'raw');
  return [found.modified, found.added, found.removed].reduce(difference, fieldsOf(type, last));
}

/** Brings the annotation of an object that has one up to date with what was applied, in place. */
export function updateLastApplied(object: KubeObject, config: JsonObject): void {
  const { annotations } = object.metadata;
  if (!annotations?.[ANNOTATION]) return;
  const next = { ...annotations, [ANNOTATION]: lastAppliedText(config) };
  if (sizeOf(next) > MAX_ANNOTATIONS) {
    const { [ANNOTATION]: _, ...rest } = next;
    object.metadata.annotations = rest;
  } else object.metadata.annotations = next;
}

function lastAppliedText(config: JsonObject): string {
  const metadata = config['metadata'] as JsonObject | undefined;
  const annotations = metadata?.['annotations'] as JsonObject | undefined;
  if (annotations?.[ANNOTATION] === undefined) return `${stableJson(config)}\n`;
  const { [ANNOTATION]: _, ...rest } = annotations;
  return `${stableJson({ ...config, metadata: { ...metadata, annotations: rest } })}\n`;
}

function sizeOf(annotations: Record<string, string>): number {
  let size = 0;
  for (const [key, value] of Object.entries(annotations)) size += key.length + value.length;
  return size;
}
