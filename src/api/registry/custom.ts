/** Bodies of custom resources: metadata by its own schema, all else by that of the definition. */
import { type Decoded, decodeJson } from '../../apimachinery/codec/index.ts';
import type { Json, JsonObject } from '../../apimachinery/meta.ts';
import { type MessageSchema, schemaFor } from '../../apimachinery/schema/index.ts';
import { coerceEmbedded } from '../../apimachinery/structural/embedded.ts';
import { prune } from '../../apimachinery/structural/prune.ts';
import type { CustomType } from '../../resources/resource.ts';

const envelopes = new Map<string, MessageSchema>();

/** What is the same for all kinds: kind, apiVersion and metadata. */
function envelopeOf(kind: string): MessageSchema {
  let envelope = envelopes.get(kind);
  if (envelope === undefined) {
    const { fields, wire } = schemaFor('v1', 'ConfigMap') as MessageSchema;
    const metadata = fields.get('metadata');
    if (metadata === undefined) throw new Error('no schema of metadata');
    envelope = {
      name: `custom.${kind}`,
      fields: new Map([['metadata', metadata]]),
      wire,
      hasTypeMeta: true,
      atomic: false,
    };
    if (envelopes.size > 1000) envelopes.clear();
    envelopes.set(kind, envelope);
  }
  return envelope;
}

/**
 * Decodes a JSON text or value as a custom resource: fields that its schema does not know are dropped and named. Throws BadRequest as
 * `decodeJson`.
 */
export function decodeCustom(
  input: string | Json,
  kind: string,
  { schema }: CustomType,
  options: { strict: boolean },
): Decoded {
  const { object: raw, problems } = decodeJson(input, undefined, options);
  const { kind: itsKind, apiVersion, metadata, ...rest } = raw;
  const head = decodeJson({ kind: itsKind, apiVersion, metadata } as Json, envelopeOf(kind), options);
  const object: JsonObject = { ...head.object, ...rest };
  if (schema === undefined) return { object, problems: [...problems, ...head.problems] };
  const dropped = prune(object, schema).map((path) => `unknown field "${path}"`);
  const embedded = coerceEmbedded(object, schema);
  return { object, problems: options.strict ? [...problems, ...head.problems, ...dropped, ...embedded] : [] };
}
