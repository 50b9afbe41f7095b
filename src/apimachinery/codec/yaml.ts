/** YAML bodies. */
import { parseDocument, stringify } from 'yaml';
import { badRequest } from '../errors.ts';
import type { Json, JsonObject } from '../meta.ts';

/** Anchors may multiply a document no further than this. */
const MAX_ALIASES = 100;

/** The first document of a text, as JSON; JSON is YAML too, and is parsed the quick way. Throws BadRequest. */
export function decodeYaml(text: string): Json {
  const start = text.trimStart();
  if (start.startsWith('{') || start.startsWith('[')) {
    try {
      return JSON.parse(text) as Json;
    } catch {
      // Flow style YAML begins like JSON.
    }
  }
  try {
    const document = parseDocument(text, { version: '1.1', uniqueKeys: false, schema: 'core' });
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return document.toJS({ maxAliasCount: MAX_ALIASES }) as Json;
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error);
    throw badRequest(`error converting YAML to JSON: yaml: ${why}`);
  }
}

/** An object as YAML, keys sorted as upstream's are. */
export function encodeYaml(object: JsonObject): string {
  return stringify(object, { sortMapEntries: true, aliasDuplicateObjects: false, lineWidth: 0 });
}
