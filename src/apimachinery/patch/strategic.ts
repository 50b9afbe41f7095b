/** Strategic merge patch, after upstream's `util/strategicpatch`: a merge patch that knows lists of named things, and directives. */
import { badRequest, failure, StatusError } from '../errors.ts';
import type { Json, JsonObject } from '../meta.ts';
import type { Field, MessageSchema } from '../schema/index.ts';
import { follows, type Identity, identityBy, inOrder } from './order.ts';
import { assertShallow, get, goKind, goPrint, isObject, plainError, set } from './values.ts';

const PATCH = '$patch';
const RETAIN_KEYS = '$retainKeys';
const SET_ORDER = '$setElementOrder';
const DELETE_FROM = '$deleteFromPrimitiveList';

/** What is known of the object at hand: a message's fields, or a map whose values are alike. */
type Scope = MessageSchema | { valuesOf: Field } | undefined;

/** What is known of one of its keys. */
interface Place {
  scope: Scope;
  /** Lists are merged, not replaced. */
  merges: boolean;
  /** Objects are replaced, not merged. */
  replaces: boolean;
  mergeKey?: string;
}

const UNKNOWN: Place = { scope: undefined, merges: false, replaces: false };

/**
 * The target with the patch merged in. Lists merge by the schema's merge keys where it says so, and are replaced elsewhere.
 * Neither argument is changed. Throws a Status with upstream's text: BadRequest when the patch is no object or a directive has another
 * form than it should, code 500 for directives that make no sense.
 */
export function strategicMergePatch(target: Json, patch: Json, schema: MessageSchema | undefined): Json {
  if (patch === null) return target;
  if (!isObject(patch)) {
    throw badRequest(`json: cannot unmarshal ${goKind(patch)} into Go value of type map[string]interface {}`);
  }
  assertShallow(patch);
  return mergeObject(isObject(target) ? target : {}, patch, schema);
}

function placeOf(scope: Scope, key: string): Place {
  if (scope === undefined) return UNKNOWN;
  if ('valuesOf' in scope) return { ...UNKNOWN, scope: scope.valuesOf.message };
  const field = scope.fields.get(key);
  if (field === undefined) return UNKNOWN;
  const strategies = field.patchStrategy?.split(',') ?? [];
  return {
    scope: field.shape === 'map' ? { valuesOf: field } : field.message,
    merges: strategies.includes('merge'),
    replaces: strategies.includes('replace'),
    ...(field.patchMergeKey === undefined ? {} : { mergeKey: field.patchMergeKey }),
  };
}

function mergeObject(original: JsonObject, patch: JsonObject, scope: Scope): JsonObject {
  const directive = get(patch, PATCH);
  if (directive !== undefined) return directed(directive, patch);
  const merged = { ...original };
  const rest = { ...patch };
  retainKeys(merged, rest);
  setElementOrders(merged, rest, scope);
  for (const [name, value] of Object.entries(rest)) {
    const deletes = name.startsWith(DELETE_FROM);
    if (deletes && !name.startsWith(`${DELETE_FROM}/`)) throw badFormat('primitive list');
    const key = deletes ? name.slice(DELETE_FROM.length + 1) : name;
    if (value === null || value === undefined) {
      delete merged[key];
      continue;
    }
    const before = get(merged, key);
    if (deletes) {
      if (Array.isArray(before) && Array.isArray(value))
        set(merged, key, withoutListed(before, value, placeOf(scope, key)));
    } else if (isDirected(value) && !isObject(before)) {
      delete merged[key];
    } else {
      set(merged, key, mergeValue(before, value, placeOf(scope, key)));
    }
  }
  return merged;
}

function mergeValue(before: Json | undefined, value: Json, place: Place): Json {
  if (isObject(before) && isObject(value)) {
    return place.replaces ? value : mergeObject(before, value, place.scope);
  }
  if (!Array.isArray(before) || !Array.isArray(value)) return fresh(value);
  // What takes the place of a list as a whole is left as it is, even with directives, which then are unknown fields.
  return place.merges ? mergeList(before, value, place) : value;
}

/** An object with `$patch`: replaces what is there, or empties it. */
function directed(directive: Json, patch: JsonObject): JsonObject {
  if (directive === 'replace') {
    const { [PATCH]: _, ...rest } = patch;
    return rest;
  }
  if (directive === 'delete') return {};
  throw plainError(`unknown patch type: ${goPrint(directive)} in map: ${goPrint(patch)}`);
}

const badFormat = (what: string): StatusError => badRequest(`invalid patch format of ${what}`);

const isDirective = (key: string): boolean =>
  key === PATCH || key === RETAIN_KEYS || key.startsWith(`${SET_ORDER}/`) || key.startsWith(`${DELETE_FROM}/`);

/** A value that meets nothing of its kind: without nulls, which delete nothing, and without what carries directives. */
function fresh(value: Json): Json {
  if (Array.isArray(value)) return value.filter((item) => !isDirected(item)).map(fresh);
  if (!isObject(value)) return value;
  const clean: JsonObject = {};
  for (const [key, part] of Object.entries(value)) {
    if (part === null || part === undefined || isDirective(key) || isDirected(part)) continue;
    set(clean, key, fresh(part));
  }
  return clean;
}

/** An object with `$patch` where there is nothing to direct: upstream drops the whole of it. */
const isDirected = (value: Json): boolean => isObject(value) && get(value, PATCH) !== undefined;

/** `$retainKeys` lists the only keys that stay: of a union, the members that are not named go. Both objects are changed. */
function retainKeys(merged: JsonObject, patch: JsonObject): void {
  const kept = get(patch, RETAIN_KEYS);
  if (kept === undefined) return;
  delete patch[RETAIN_KEYS];
  const names = new Set<Json>(Array.isArray(kept) ? kept : []);
  const allNamed = Object.entries(patch).every(
    ([key, value]) => value === null || names.has(key) || key.startsWith(SET_ORDER) || key.startsWith(DELETE_FROM),
  );
  if (!Array.isArray(kept) || !allNamed) throw badFormat('retainKeys');
  for (const key of Object.keys(merged)) if (!names.has(key)) delete merged[key];
}

/** Each `$setElementOrder/x` together with its list. Both objects are changed: what is done is taken from the patch. */
function setElementOrders(merged: JsonObject, patch: JsonObject, scope: Scope): void {
  for (const [name, order] of Object.entries(patch)) {
    if (!name.startsWith(SET_ORDER)) continue;
    delete patch[name];
    const wanted = listOf(order ?? null);
    if (!name.startsWith(`${SET_ORDER}/`)) throw badFormat('setElementOrder list');
    const key = name.slice(SET_ORDER.length + 1);
    const given = get(merged, key);
    const said = get(patch, key);
    const before = given === undefined ? undefined : listOf(given);
    const change = said === undefined ? undefined : listOf(said);
    if (scope !== undefined && !('valuesOf' in scope) && !scope.fields.has(key)) {
      throw plainError(`unable to find api field in struct ${scope.name} for the json field ${JSON.stringify(key)}`);
    }
    const place = placeOf(scope, key);
    const identity = identityBy(place.mergeKey);
    if (change !== undefined) {
      checkOrder(change, wanted, identity);
      delete patch[key];
    }
    if (change === undefined && before === undefined) continue;
    const result = change === undefined ? (before as Json[]) : (mergeValue(before, change, place) as Json[]);
    if (place.mergeKey !== undefined && result.length > 0) checkNamed(wanted, place.mergeKey);
    set(merged, key, inOrder(result, wanted, before ?? [], identity));
  }
}

function listOf(value: Json): Json[] {
  if (Array.isArray(value)) return value;
  const kind = isObject(value) ? 'map' : value === null ? 'nil' : goKind(value);
  throw plainError(`expected a slice, but received a ${kind}`);
}

/** An order of objects is one of their merge keys. */
function checkNamed(order: readonly Json[], mergeKey: string): void {
  for (const item of order) {
    if (!isObject(item)) throw plainError(`expected a map, but received a ${goKind(item)}`);
    keyOf(item, mergeKey);
  }
}

function checkOrder(change: readonly Json[], order: readonly Json[], identity: Identity): void {
  if (order.length === 0) return;
  const kept = change.filter((item) => !isObject(item) || get(item, PATCH) === undefined);
  if (!follows(kept, order, identity)) {
    const lists = [change, order].map((list) => goPrint(list as Json[]));
    throw plainError(`The order in patch list:\n${lists[0]}\n doesn't match ${SET_ORDER} list:\n${lists[1]}\n`);
  }
}

/** A list without what another one has; lists of objects know no such deletion, and are merged. */
function withoutListed(list: readonly Json[], gone: readonly Json[], place: Place): Json[] {
  if (kindOfItems([...list, ...gone]) === 'object') return mergeList(list, gone, place);
  const set = new Set(gone);
  return list.filter((item) => !set.has(item));
}

/** What the items of merged lists are; undefined where there is none. Throws where they are not alike. */
function kindOfItems(items: readonly Json[]): string | undefined {
  const [kind, ...others] = new Set(items.map(goKind));
  if (kind === 'array') {
    throw new StatusError(
      failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {}),
    );
  }
  if (others.length > 0) throw plainError('list element types are not identical');
  return kind;
}

function mergeList(before: readonly Json[], change: readonly Json[], place: Place): Json[] {
  const items = [...before, ...change];
  const kind = kindOfItems(items);
  if (kind === undefined) return [];
  if (kind !== 'object') return inOrder([...new Set(items)], change, before, identityBy(undefined));
  if (place.mergeKey === undefined) throw plainError('cannot merge lists without merge key');
  return mergeObjects(before as JsonObject[], change as JsonObject[], place, place.mergeKey);
}

function mergeObjects(
  before: readonly JsonObject[],
  change: readonly JsonObject[],
  place: Place,
  mergeKey: string,
): Json[] {
  const { server, patches } = obeyDirectives(before, change, mergeKey);
  const merged = [...server];
  const at = new Map<Json | undefined, number>();
  merged.forEach((item, index) => {
    const id = get(item, mergeKey);
    if (id !== undefined && !at.has(id)) at.set(id, index);
  });
  for (const patch of patches) {
    const id = keyOf(patch, mergeKey);
    const index = at.get(id);
    if (index === undefined) {
      at.set(id, merged.push(patch) - 1);
    } else {
      merged[index] = mergeObject(merged[index] as JsonObject, patch, place.scope);
    }
  }
  return inOrder(merged, patches, server, identityBy(mergeKey));
}

/** Takes the items with `$patch` out of the change and does what they say: delete one of the server's, or replace all. */
function obeyDirectives(
  before: readonly JsonObject[],
  change: readonly JsonObject[],
  mergeKey: string,
): { server: readonly JsonObject[]; patches: JsonObject[] } {
  const patches: JsonObject[] = [];
  const deleted = new Set<Json>();
  let replaces = false;
  for (const item of change) {
    const directive = get(item, PATCH);
    if (directive === undefined) patches.push(item);
    else if (directive === 'delete') deleted.add(keyOf(item, mergeKey));
    else if (directive === 'replace') replaces = true;
    else if (directive === 'merge') throw plainError('merging lists cannot yet be specified in the patch');
    else throw plainError(`unknown patch type: ${goPrint(directive)} in map: ${goPrint(item)}`);
  }
  if (replaces) return { server: patches, patches: [] };
  return {
    server: deleted.size === 0 ? before : before.filter((item) => !deleted.has(get(item, mergeKey) ?? null)),
    patches,
  };
}

function keyOf(item: JsonObject, mergeKey: string): Json {
  const id = get(item, mergeKey);
  if (id === undefined) throw plainError(`map: ${goPrint(item)} does not contain declared merge key: ${mergeKey}`);
  return id;
}
