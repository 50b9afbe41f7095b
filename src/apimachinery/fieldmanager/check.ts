/** Whether an applied configuration fits its type (upstream's `typed.AsTyped` without duplicates allowed). */
import type { Json, JsonObject } from '../meta.ts';
import { fieldElement, formatPath } from './element.ts';
import type { ListType, MapType, ScalarType, Type } from './types.ts';
import { elementOf, fieldOf, isMap, resolve } from './value.ts';

/** What does not fit, as upstream says it: one line, or `errors:` and a line for each. Undefined when all does. */
export function misfits(type: Type, value: Json): string | undefined {
  const errors: string[] = [];
  check(type, value, [], errors);
  if (errors.length === 0) return undefined;
  return errors.length === 1 ? errors[0] : ['errors:', ...errors.map((error) => `  ${error}`)].join('\n');
}

function check(type: Type, value: Json, path: readonly string[], errors: string[]): void {
  if (value === null) return;
  const say = (what: string): void => {
    errors.push(path.length === 0 ? what : `${formatPath(path)}: ${what}`);
  };
  const is = resolve(type, value);
  switch (is.kind) {
    case 'scalar':
      checkScalar(is, value, say);
      break;
    case 'list':
      if (Array.isArray(value)) checkList(is, value, path, errors, say);
      else say(`expected list, got ${goValue(value)}`);
      break;
    default:
      if (isMap(value)) checkMap(is, value, path, errors);
      else say(`expected map, got ${goValue(value)}`);
  }
}

function checkScalar({ accepts }: ScalarType, value: Json, say: (what: string) => void): void {
  switch (accepts) {
    case 'numeric':
      if (typeof value !== 'number') say(`expected numeric (int or float), got ${goType(value)}`);
      break;
    case 'string':
      if (typeof value !== 'string') say(`expected string, got ${goValue(value)}`);
      break;
    case 'boolean':
      if (typeof value !== 'boolean') say(`expected boolean, got ${goValue(value)}`);
      break;
    default:
      if (typeof value === 'object') say(`expected any scalar, got ${goValue(value)}`);
  }
}

function checkList(
  type: ListType,
  list: readonly Json[],
  path: readonly string[],
  errors: string[],
  say: (what: string) => void,
): void {
  const seen = new Set<string>();
  for (const [index, item] of list.entries()) {
    if (type.relation === 'atomic') {
      check(type.item, item, [...path, `i:${index}`], errors);
      continue;
    }
    const element = type.relation === 'set' && noMember(item) !== undefined ? undefined : elementOf(type, item);
    if (element === undefined) {
      say(`element ${index}: ${type.relation === 'set' ? noMember(item) : withoutKeys(type, item)}`);
      // What cannot be told from its neighbours ends the list.
      return;
    }
    if (seen.has(element)) say(`duplicate entries for key ${formatPath([element])}`);
    seen.add(element);
    check(type.item, item, [...path, element], errors);
  }
}

/** Why an item cannot be in a set; undefined for one that can. */
function noMember(item: Json): string | undefined {
  if (item === null) return "associative list without keys has an element that's an explicit null";
  if (Array.isArray(item)) return 'not supported: associative list with lists as elements';
  return isMap(item) ? "associative list without keys has an element that's a map type" : undefined;
}

function withoutKeys(type: ListType, item: Json): string {
  if (item === null) return 'associative list with keys may not have a null element';
  if (!isMap(item)) return 'associative list with keys may not have non-map elements';
  const keys = type.keys.map((key) => JSON.stringify(key)).join(' ');
  return `associative list with keys has an element that omits all key fields [${keys}] (and doesn't have default values for any key fields)`;
}

function checkMap(type: MapType, map: JsonObject, path: readonly string[], errors: string[]): void {
  for (const key in map) {
    const value = map[key];
    if (value === undefined) continue;
    const at = [...path, fieldElement(key)];
    const field = fieldOf(type, key);
    if (field === undefined) errors.push(`${formatPath(at)}: field not declared in schema`);
    else check(field.type, value, at, errors);
  }
}

function goType(value: Json): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'object') return 'map[string]interface {}';
  return typeof value === 'boolean' ? 'bool' : typeof value === 'number' ? 'int64' : 'string';
}

function goValue(value: Json): string {
  return typeof value === 'object' ? goType(value) : JSON.stringify(value);
}
