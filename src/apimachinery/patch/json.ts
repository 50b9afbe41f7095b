/** JSON patch, RFC 6902, with the limits and the answers of upstream's API server. */
import { deepEqual } from '../equal.ts';
import { badRequest, failure, StatusError, tooLarge } from '../errors.ts';
import type { Json } from '../meta.ts';
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
 * Applies a list of operations to `target`, in place, and returns it. Throws BadRequest when the patch is no list of objects,
 * RequestEntityTooLarge beyond 10,000 operations, and Invalid (without details, as upstream) when an operation fails.
 */
export function jsonPatch(target: Json, patch: Json): Json {
  if (patch === null) return target;
  if (!Array.isArray(patch)) throw undecodable(patch, '[]handlers.jsonPatchOp');
  if (patch.length > MAX_OPERATIONS) {
    throw tooLarge(`The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`);
  }
  assertShallow(patch);
  let copied = 0;
  for (const operation of patch) {
    if (!isObject(operation)) throw undecodable(operation, 'handlers.jsonPatchOp');
    const path = pointer(get(operation, 'path'));
    const value = (): Json => {
      const given = get(operation, 'value');
      if (given === undefined) throw rejected();
      return given;
    };
    switch (get(operation, 'op')) {
      case 'add':
        add(target, path, value());
        break;
      case 'remove':
        remove(target, path);
        break;
      case 'replace':
        replace(target, path, value());
        break;
      case 'move': {
        const from = pointer(get(operation, 'from'));
        // A value cannot be moved into itself.
        if (path.length > from.length && from.every((part, at) => part === path[at])) throw rejected();
        add(target, path, remove(target, from));
        break;
      }
      case 'copy': {
        const text = JSON.stringify(read(target, pointer(get(operation, 'from'))));
        copied += text.length;
        if (copied > MAX_COPIED) throw rejected();
        add(target, path, JSON.parse(text) as Json);
        break;
      }
      case 'test':
        test(target, path, get(operation, 'value') ?? null);
        break;
      default:
        throw rejected();
    }
  }
  assertShallow(target);
  return target;
}

const undecodable = (value: Json, type: string): StatusError =>
  badRequest(`error decoding patch: json: cannot unmarshal ${goKind(value)} into Go value of type ${type}`);

/** The parts of a JSON pointer. The whole document is no target of any operation, as upstream. */
function pointer(text: Json | undefined): string[] {
  if (typeof text !== 'string' || !text.startsWith('/')) throw rejected();
  return text
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function parentOf(target: Json, path: readonly string[]): Json {
  let at: Json | undefined = target;
  for (const part of path.slice(0, -1)) at = step(at, part);
  if (typeof at !== 'object' || at === null) throw rejected();
  return at;
}

function step(value: Json | undefined, part: string): Json | undefined {
  if (Array.isArray(value)) return value[index(part, value.length - 1)];
  if (isObject(value)) return get(value, part);
  throw rejected();
}

function index(part: string, last: number): number {
  if (!/^(0|[1-9]\d{0,8})$/.test(part) || Number(part) > last) throw rejected();
  return Number(part);
}

function read(target: Json, path: readonly string[]): Json {
  const found = step(parentOf(target, path), path.at(-1) as string);
  if (found === undefined) throw rejected();
  return found;
}

function add(target: Json, path: readonly string[], value: Json): void {
  const parent = parentOf(target, path);
  const last = path.at(-1) as string;
  if (Array.isArray(parent)) parent.splice(last === '-' ? parent.length : index(last, parent.length), 0, value);
  else if (isObject(parent)) set(parent, last, value);
}

function remove(target: Json, path: readonly string[]): Json {
  const removed = read(target, path);
  const parent = parentOf(target, path);
  const last = path.at(-1) as string;
  if (Array.isArray(parent)) parent.splice(index(last, parent.length - 1), 1);
  else if (isObject(parent)) delete parent[last];
  return removed;
}

function replace(target: Json, path: readonly string[], value: Json): void {
  read(target, path);
  const parent = parentOf(target, path);
  const last = path.at(-1) as string;
  if (Array.isArray(parent)) parent[index(last, parent.length - 1)] = value;
  else if (isObject(parent)) set(parent, last, value);
}

/** An absent value equals null. */
function test(target: Json, path: readonly string[], expected: Json): void {
  const actual = step(parentOf(target, path), path.at(-1) as string) ?? null;
  if (!deepEqual(actual, expected)) throw new TestFailed(REJECTED);
}
