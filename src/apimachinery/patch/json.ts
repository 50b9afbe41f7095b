/** JSON patch, RFC 6902, with the limits and the answers of upstream's API server. */
import { deepEqual } from '../equal.ts';
import { badRequest, failure, StatusError, tooLarge } from '../errors.ts';
import type { Json, JsonObject } from '../meta.ts';
import { assertShallow, get, goKind, isObject, set } from './values.ts';

const MAX_OPERATIONS = 10_000;
/** Characters that all `copy` operations of one patch may add: copies of copies double. */
const MAX_COPIED = 3 * 1024 * 1024;

/** Upstream does not say which operation failed. */
const REJECTED = failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
const rejected = (): StatusError => new StatusError(REJECTED);

/** An operation `test` that does not hold. */
export class TestFailed extends StatusError {}

/**
 * Applies a list of operations to `target`, in place, and returns the result. Throws BadRequest when the patch is no list of objects,
 * RequestEntityTooLarge beyond 10,000 operations, and Invalid (without details, as upstream) when an operation fails.
 */
export function jsonPatch(target: Json, patch: Json): Json {
  if (patch === null) return target;
  if (!Array.isArray(patch)) throw undecodable(patch, '[]handlers.jsonPatchOp');
  if (patch.length > MAX_OPERATIONS) {
    throw tooLarge(`The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`);
  }
  assertShallow(patch);
  let document = target;
  let copied = 0;
  for (const operation of patch) {
    if (operation === null) throw rejected();
    if (!isObject(operation)) throw undecodable(operation, 'handlers.jsonPatchOp');
    const path = get(operation, 'path');
    // What is left out is null.
    const value = get(operation, 'value') ?? null;
    switch (get(operation, 'op')) {
      case 'add':
        add(placeOf(document, path), value);
        break;
      case 'remove':
        remove(placeOf(document, path));
        break;
      case 'replace':
        if (path !== '') replace(placeOf(document, path), value);
        else if (typeof value === 'object' && value !== null) document = value;
        else throw rejected();
        break;
      case 'move': {
        const from = placeOf(document, get(operation, 'from'));
        const moved = read(from) ?? null;
        remove(from);
        add(placeOf(document, path), moved);
        break;
      }
      case 'copy': {
        const text = JSON.stringify(read(placeOf(document, get(operation, 'from'))) ?? null);
        copied += text.length;
        if (copied > MAX_COPIED) throw rejected();
        add(placeOf(document, path), JSON.parse(text) as Json);
        break;
      }
      case 'test': {
        const actual = path === '' ? document : (read(placeOf(document, path)) ?? null);
        if (!deepEqual(actual, value)) throw new TestFailed(REJECTED);
        break;
      }
      default:
        throw rejected();
    }
  }
  assertShallow(document);
  return document;
}

const undecodable = (value: Json, type: string): StatusError =>
  badRequest(`error decoding patch: json: cannot unmarshal ${goKind(value)} into Go value of type ${type}`);

/** A key of an object, or of a list, in which it may not be yet. */
type Place = { in: JsonObject | Json[]; key: string };

/** Where a JSON pointer points. What stands before its first slash does not count; without any it points nowhere. */
function placeOf(document: Json, pointer: Json | undefined): Place {
  if (typeof pointer !== 'string') throw rejected();
  const [, ...path] = pointer.split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const key = path.pop();
  let at: Json | undefined = document;
  for (const part of path) at = read({ in: containerOf(at), key: part });
  if (key === undefined) throw rejected();
  return { in: containerOf(at), key };
}

function containerOf(value: Json | undefined): JsonObject | Json[] {
  if (typeof value !== 'object' || value === null) throw rejected();
  return value;
}

/** A place in a list of that length, from its end where the key is negative. */
function index(key: string, length: number): number {
  if (!/^[-+]?\d{1,9}$/.test(key)) throw rejected();
  const at = Number(key) < 0 ? Number(key) + length : Number(key);
  if (at < 0 || at >= length) throw rejected();
  return at;
}

/** What is there; of an object, undefined where there is nothing. */
function read(place: Place): Json | undefined {
  return Array.isArray(place.in) ? place.in[index(place.key, place.in.length)] : get(place.in, place.key);
}

function add({ in: parent, key }: Place, value: Json): void {
  if (!Array.isArray(parent)) set(parent, key, value);
  else parent.splice(key === '-' ? parent.length : index(key, parent.length + 1), 0, value);
}

function remove({ in: parent, key }: Place): void {
  if (Array.isArray(parent)) parent.splice(index(key, parent.length), 1);
  else if (Object.hasOwn(parent, key)) delete parent[key];
  else throw rejected();
}

/** An object need not have had the key. */
function replace({ in: parent, key }: Place, value: Json): void {
  if (Array.isArray(parent)) parent[index(key, parent.length)] = value;
  else set(parent, key, value);
}
