/**
 * Stored objects are texts of one form, so that the resourceVersion can be written and read without parsing:
 * `{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"12",…`. Kind and apiVersion hold no quotes, so the first
 * occurrence of the marker is the right one.
 */
import { type KubeObject, sortedByKey } from '../apimachinery/meta.ts';

const MARKER = '"metadata":{"resourceVersion":"';

/** The JSON text of an object in the stored form; the resourceVersion is left empty for the store to fill. */
export function encodeText(object: KubeObject): string {
  const { kind, apiVersion, metadata, ...rest } = object;
  const { resourceVersion: _, ...meta } = metadata;
  if (meta.labels !== undefined) meta.labels = sortedByKey(meta.labels);
  if (meta.annotations !== undefined) meta.annotations = sortedByKey(meta.annotations);
  return JSON.stringify({ kind, apiVersion, metadata: { resourceVersion: '', ...meta }, ...rest });
}

/** The text with this resourceVersion in place of the one it has. */
export function withResourceVersion(text: string, resourceVersion: number): string {
  const start = text.indexOf(MARKER) + MARKER.length;
  const end = text.indexOf('"', start);
  return `${text.slice(0, start)}${resourceVersion}${text.slice(end)}`;
}

/** The text of an object that was never stored. */
export function withoutResourceVersion(text: string): string {
  const marker = '"resourceVersion":""';
  const start = text.indexOf(`${MARKER}"`) + MARKER.length + 1 - marker.length;
  const end = start + marker.length;
  return text.slice(0, start) + text.slice(text[end] === ',' ? end + 1 : end);
}

/** The text without kind and apiVersion: in a list these are the list's to say. */
export function withoutType(text: string): string {
  return `{${text.slice(text.indexOf(MARKER))}`;
}
