/** An object in the order in which Go's encoder writes its fields, for messages that show it. */
import type { Json, JsonObject } from '../meta.ts';
import { type MessageSchema, schemaByName } from '../schema/index.ts';
import { isObject } from './values.ts';

/** The object without what is empty; fields as they stand in the schema `name`, keys of maps sorted. */
export function goObject(object: Json, name: string): Json {
  return inOrder(object, schemaByName(name));
}

function inOrder(value: Json, schema: MessageSchema | undefined): Json {
  if (Array.isArray(value)) return value.map((entry) => inOrder(entry, schema));
  if (!isObject(value)) return value;
  if (schema === undefined || schema.special !== undefined) return sorted(value);
  const ordered: JsonObject = {};
  for (const { name, message, shape } of schema.fields.values()) {
    const child = value[name];
    if (child === undefined || child === null || child === '' || child === 0 || isEmpty(child)) continue;
    ordered[name] = shape === 'map' ? sorted(child as JsonObject) : inOrder(child, message);
  }
  return ordered;
}

const isEmpty = (value: Json): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

function sorted(object: JsonObject): JsonObject {
  const keys = Object.keys(object).sort();
  return Object.fromEntries(keys.map((key) => [key, inOrder(object[key] as Json, undefined)]));
}
