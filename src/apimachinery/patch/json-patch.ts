/** JSON patch, RFC 6902, with upstream's limits and errors. */
import { deepEqual } from '../equal.ts';
import { badRequest, failure, StatusError, tooLarge } from '../errors.ts';
import type { Json } from '../meta.ts';
import { isObject, setKey } from './merge.ts';

const MAX_OPERATIONS = 10_000;

interface Operation {
  op?: unknown;
  path?: unknown;
  from?: unknown;
  value?: Json;
}

/** 422: the patch is well-formed, but does not fit the object. */
const unfit = (why: string): StatusError =>
  new StatusError(
    failure(422, 'Invalid', `the server rejected our request due to an error in our request: ${why}`, {}),
  );

/** The target with the operations applied in order; the target may be changed. Throws when one cannot be. */
export function jsonPatch(target: Json, patch: Json): Json {
  if (!Array.isArray(patch)) throw badRequest('error decoding patch: a JSON patch is a list of operations');
  if (patch.length > MAX_OPERATIONS) {
    throw tooLarge(`The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`);
  }
  let document: Json = target;
  for (const operation of patch) {
    if (!isObject(operation)) throw badRequest('error decoding patch: an operation is an object');
    document = apply(document, operation as Operation);
  }
  return document;
}

function apply(document: Json, { op, path, from, value }: Operation): Json {
  const to = pointer(path, 'path');
  switch (op) {
    case 'add':
      return add(document, to, needed(value));
    case 'replace':
      if (to.length === 0) return needed(value);
      read(document, to, 'replace');
      return add(removeAt(document, to), to, needed(value));
    case 'remove':
      read(document, to, 'remove');
      return removeAt(document, to);
    case 'move': {
      const source = pointer(from, 'from');
      if (to.length > source.length && source.every((part, i) => part === to[i])) {
        throw unfit('a value cannot be moved into itself');
      }
      const moved = read(document, source, 'move');
      return add(removeAt(document, source), to, moved);
    }
    case 'copy':
      return add(document, to, structuredClone(read(document, pointer(from, 'from'), 'copy')));
    case 'test': {
      const actual = find(document, to);
      if (!deepEqual(actual ?? null, value ?? null)) throw unfit(`testing path ${format(to)} failed`);
      return document;
    }
    default:
      throw badRequest(`error decoding patch: Unexpected kind: ${String(op)}`);
  }
}

function needed(value: Json | undefined): Json {
  if (value === undefined) throw badRequest('error decoding patch: an operation lacks its value');
  return value;
}

function pointer(text: unknown, name: string): string[] {
  if (typeof text !== 'string' || (text !== '' && !text.startsWith('/'))) {
    throw badRequest(`error decoding patch: ${name} must be a JSON pointer`);
  }
  return text
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

const format = (path: readonly string[]): string =>
  path.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

function index(list: readonly Json[], part: string, end: boolean): number {
  if (part === '-' && end) return list.length;
  if (!/^-?(0|[1-9]\d*)$/.test(part)) return -1;
  const number = Number(part);
  return number < 0 ? list.length + number : number;
}

function find(document: Json, path: readonly string[]): Json | undefined {
  let at: Json | undefined = document;
  for (const part of path) {
    if (Array.isArray(at)) at = at[index(at, part, false)];
    else at = isObject(at) && Object.hasOwn(at, part) ? at[part] : undefined;
    if (at === undefined) return undefined;
  }
  return at;
}

function read(document: Json, path: readonly string[], op: string): Json {
  const value = find(document, path);
  if (value === undefined) throw unfit(`${op} operation does not apply: doc is missing path: ${format(path)}: missing value`);
  return value;
}

function parentOf(document: Json, path: readonly string[], op: string): Json {
  const parent = find(document, path.slice(0, -1));
  if (parent === undefined || parent === null || typeof parent !== 'object') {
    throw unfit(`${op} operation does not apply: doc is missing path: ${JSON.stringify(format(path))}: missing value`);
  }
  return parent;
}

function add(document: Json, path: readonly string[], value: Json): Json {
  const last = path.at(-1);
  if (last === undefined) return value;
  const parent = parentOf(document, path, 'add');
  if (Array.isArray(parent)) {
    const at = index(parent, last, true);
    if (at < 0 || at > parent.length) throw unfit(`Unable to access invalid index: ${last}: invalid index referenced`);
    parent.splice(at, 0, value);
  } else if (isObject(parent)) setKey(parent, last, value);
  return document;
}

function removeAt(document: Json, path: readonly string[]): Json {
  const last = path.at(-1);
  if (last === undefined) return null;
  const parent = parentOf(document, path, 'remove');
  if (Array.isArray(parent)) parent.splice(index(parent, last, false), 1);
  else if (isObject(parent)) delete parent[last];
  return document;
}
