/** Where in an object a decoder is: kept as links, made into text only for messages. */
import type { Field, MessageSchema } from '../schema/index.ts';

/** A field on the way down. */
export interface Place {
  parent: Place | undefined;
  /** The message that has the field. */
  schema: MessageSchema;
  field: Field;
}

/** `Container.spec.containers.image`: the struct of the field and the way to it through embedded structs, as Go's json names it. */
export function goPathOf(place: Place): string {
  const names: string[] = [];
  for (let at: Place | undefined = place; at !== undefined; at = at.parent) {
    names.unshift(...embedded(at.schema, at.field.name), at.field.name);
  }
  return [kindOf(place.schema), ...names].join('.');
}

/** The embedded structs that a field is found through. */
function embedded(schema: MessageSchema, name: string): string[] {
  for (const { shape, message } of schema.wire) {
    if (shape === 'inline' && message?.fields.has(name)) return [kindOf(message), ...embedded(message, name)];
  }
  return [];
}

/** `Pod` of `core.v1.Pod`. */
export function kindOf({ name }: MessageSchema): string {
  return name.slice(name.lastIndexOf('.') + 1);
}
