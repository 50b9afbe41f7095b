/** Path elements as FieldsV1 writes them: `f:name`, `k:{"name":"x"}`, `v:"x"`, `i:0` (upstream's `fieldpath.PathElement`). */
import type { Json, JsonObject } from '../meta.ts';

/** A field of a map or struct. */
export function fieldElement(name: string): string {
  return `f:${name}`;
}

/** An item of a list map, by its keys; `keys` are sorted by name. */
export function keyElement(keys: readonly (readonly [string, Json])[]): string {
  let text = 'k:{';
  for (const [name, value] of keys) {
    if (text.length > 3) text += ',';
    text += `${JSON.stringify(name)}:${stableJson(value)}`;
  }
  return `${text}}`;
}

/** An item of a set. */
export function valueElement(value: Json): string {
  return `v:${stableJson(value)}`;
}

/** JSON with the keys of objects sorted. */
export function stableJson(value: Json): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(stableJson).join(',')}]`;
  const entries = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${stableJson(value[key] as Json)}`);
  return `{${entries.join(',')}}`;
}

const RANKS: Record<string, number> = { '.': 0, f: 1, k: 2, v: 3, i: 4 };

/** Upstream's order: fields by name, then list keys, values and indexes by what they say. */
export function compareElements(a: string, b: string): number {
  if (a === b) return 0;
  const kind = a[0] as string;
  if (kind !== b[0]) return (RANKS[kind] ?? 5) - (RANKS[b[0] as string] ?? 5);
  if (kind === 'f' || (kind === 'v' && a[2] === '"' && b[2] === '"')) return a < b ? -1 : 1;
  if (kind === 'i') return Number(a.slice(2)) - Number(b.slice(2));
  return compareValues(parse(a), parse(b));
}

function parse(element: string): Json {
  try {
    return JSON.parse(element.slice(2)) as Json;
  } catch {
    return null;
  }
}

const KINDS = ['number', 'string', 'boolean', 'list', 'map', 'null'];

function kindOf(value: Json): string {
  if (value === null) return 'null';
  if (typeof value === 'object') return Array.isArray(value) ? 'list' : 'map';
  return typeof value;
}

/** Upstream's `value.Compare`. */
function compareValues(a: Json, b: Json): number {
  const kind = kindOf(a);
  if (kind !== kindOf(b)) return KINDS.indexOf(kind) - KINDS.indexOf(kindOf(b));
  if (Array.isArray(a) && Array.isArray(b)) return compareLists(a, b);
  if (kind === 'map') return compareMaps(a as JsonObject, b as JsonObject);
  if (a === b) return 0;
  return (a as string) < (b as string) ? -1 : 1;
}

function compareLists(a: readonly Json[], b: readonly Json[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const order = compareValues(a[i] as Json, b[i] as Json);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareMaps(a: JsonObject, b: JsonObject): number {
  const flat = (map: JsonObject): Json[] =>
    Object.keys(map)
      .sort()
      .flatMap((key) => [key, map[key] as Json]);
  return compareLists(flat(a), flat(b));
}

/** Whether a text from a client is a path element. */
export function isElement(text: string): boolean {
  const body = text.slice(2);
  if (text[1] !== ':') return false;
  switch (text[0]) {
    case 'f':
      return true;
    case 'i':
      return /^-?\d+$/.test(body);
    case 'k':
    case 'v':
      try {
        const value = JSON.parse(body) as Json;
        return text[0] === 'v' || kindOf(value) === 'map';
      } catch {
        return false;
      }
    default:
      return false;
  }
}

/** `.spec.containers[name="main"].image`: a path as messages name it. */
export function formatPath(path: readonly string[]): string {
  return path.map(formatElement).join('');
}

function formatElement(element: string): string {
  const body = element.slice(2);
  switch (element[0]) {
    case 'f':
      return `.${body}`;
    case 'i':
      return `[${body}]`;
    case 'v':
      return `[=${body}]`;
    default: {
      const keys = parse(element) as JsonObject;
      const parts = Object.keys(keys).map((key) => `${key}=${stableJson(keys[key] as Json)}`);
      return `[${parts.join(',')}]`;
    }
  }
}
