/** How messages print a whole schema. */
import { all, flag, listOf, mapOf, nullable, type Printed, pointerTo, struct, text } from '../validation/go-struct.ts';

const orBool: Printed = pointerTo((value) =>
  typeof value === 'boolean' ? { Allows: value, Schema: null } : { Allows: true, Schema: schema(value) },
);
const orList: Printed = pointerTo((value) =>
  Array.isArray(value)
    ? { Schema: null, JSONSchemas: value.map(schema) }
    : { Schema: schema(value), JSONSchemas: null },
);
const orStrings: Printed = (value) =>
  Array.isArray(value) ? { Schema: null, Property: value } : { Schema: schema(value), Property: null };

/** `x-kubernetes-validations`. */
export const shownRule = struct({
  Rule: text,
  Message: text,
  MessageExpression: text,
  Reason: nullable,
  FieldPath: text,
  OptionalOldSelf: nullable,
});

let print: Printed | undefined;

/** A schema, by the names that Go has for its fields. */
export function schema(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  print ??= made();
  return print(value);
}

function made(): Printed {
  const list = listOf(schema);
  const byName = mapOf(schema);
  return struct(
    {
      ...all(text, 'ID', 'Schema'),
      Ref: nullable,
      ...all(text, 'Description', 'Type'),
      Nullable: flag,
      ...all(text, 'Format', 'Title'),
      ...all(nullable, 'Default', 'Maximum'),
      ExclusiveMaximum: flag,
      Minimum: nullable,
      ExclusiveMinimum: flag,
      ...all(nullable, 'MaxLength', 'MinLength'),
      Pattern: text,
      ...all(nullable, 'MaxItems', 'MinItems'),
      UniqueItems: flag,
      ...all(nullable, 'MultipleOf', 'Enum', 'MaxProperties', 'MinProperties', 'Required'),
      Items: orList,
      ...all(list, 'AllOf', 'OneOf', 'AnyOf'),
      Not: schema,
      Properties: byName,
      AdditionalProperties: orBool,
      PatternProperties: byName,
      Dependencies: mapOf(orStrings),
      AdditionalItems: orBool,
      Definitions: byName,
      ExternalDocs: pointerTo(struct({ Description: text, URL: text })),
      ...all(nullable, 'Example', 'XPreserveUnknownFields'),
      ...all(flag, 'XEmbeddedResource', 'XIntOrString'),
      ...all(nullable, 'XListMapKeys', 'XListType', 'XMapType'),
      XValidations: listOf(shownRule),
    },
    {
      Schema: '$schema',
      Ref: '$ref',
      XPreserveUnknownFields: 'x-kubernetes-preserve-unknown-fields',
      XEmbeddedResource: 'x-kubernetes-embedded-resource',
      XIntOrString: 'x-kubernetes-int-or-string',
      XListMapKeys: 'x-kubernetes-list-map-keys',
      XListType: 'x-kubernetes-list-type',
      XMapType: 'x-kubernetes-map-type',
      XValidations: 'x-kubernetes-validations',
    },
  );
}
