/** A custom resource against the rules of its schema (`x-kubernetes-validations`), after upstream's `schema/cel.Validator`. */
import { declare } from '../../apimachinery/cel/declared.ts';
import type { Budget } from '../../apimachinery/cel/program.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import { child, type FieldError, toMessage } from '../../apimachinery/field.ts';
import type { Json, JsonObject } from '../../apimachinery/meta.ts';
import { isMap, itemsOf, type StructuralSchema } from '../../apimachinery/structural/schema.ts';
import { evaluateRules } from './rule-evaluation.ts';
import { compileRules, type Level } from './rule-programs.ts';

/** What all rules of one object may cost together (`RuntimeCELCostBudget`). */
const BUDGET = 10_000_000;

/** What a value was, where that can be told: a list's items have no past unless they have keys. */
interface Past {
  /** The value with what it was. */
  here?: { value: Json; old: Json | undefined };
  /** The nearest of those it is in that has a past: when none of that changed, this did not. */
  above?: { value: Json; old: Json | undefined };
}

const compiled = new WeakMap<StructuralSchema, { level: Level | undefined }>();

/** The rules of a resource's schema, compiled once; undefined without any. */
export function rulesOf(schema: StructuralSchema): Level | undefined {
  const known = compiled.get(schema);
  if (known !== undefined) return known.level;
  const level = levelOf(schema, schema, true);
  compiled.set(schema, { level });
  return level;
}

const isEmbedded = (schema: StructuralSchema): boolean => schema['x-kubernetes-embedded-resource'] === true;

/** `rules` says what is checked, `schema` what the values are: in an `allOf` they are different ones. */
function levelOf(rules: StructuralSchema, schema: StructuralSchema, isRoot: boolean): Level | undefined {
  const properties = new Map<string, Level>();
  for (const [name, inner] of Object.entries(rules.properties ?? {})) {
    const property = schema.properties?.[name];
    const level = property === undefined ? undefined : levelOf(inner, property, isEmbedded(property));
    if (level !== undefined) properties.set(name, level);
  }
  const below = (inner: unknown, of: unknown): Level | undefined =>
    typeof inner === 'object' && typeof of === 'object' && inner !== null && of !== null
      ? levelOf(inner as StructuralSchema, of as StructuralSchema, isEmbedded(of as StructuralSchema))
      : undefined;
  const items = below(itemsOf(rules), itemsOf(schema));
  const additional = below(rules.additionalProperties, schema.additionalProperties);
  const allOf = (rules.allOf ?? []).flatMap((inner) => levelOf(inner, schema, isRoot) ?? []);
  const own = rules['x-kubernetes-validations'] ?? [];
  if (own.length + properties.size + allOf.length === 0 && items === undefined && additional === undefined) {
    return undefined;
  }
  const declared = declare(schema, isRoot) ?? declare({ type: 'object' }, false);
  if (declared === undefined) return undefined;
  return {
    schema,
    declared,
    rules: own.length === 0 ? [] : compileRules(own, declared, schema),
    properties,
    allOf,
    ...(items === undefined ? {} : { items }),
    ...(additional === undefined ? {} : { additional }),
  };
}

/** Errors that block nothing, since what they are about has not changed, are warnings. */
export interface Verdict {
  errors: FieldError[];
  warnings: string[];
}

/** What the rules say of an object; on an update with what it was. */
export function validateRules(object: JsonObject, old: JsonObject | undefined, level: Level): Verdict {
  const verdict: Verdict = { errors: [], warnings: [] };
  const past: Past = old === undefined ? {} : { here: { value: object, old } };
  check(object, old, level, '', past, { left: BUDGET }, verdict);
  return verdict;
}

const isUnchanged = ({ here, above }: Past): boolean => {
  const pair = here ?? above;
  return pair !== undefined && deepEqual(pair.value, pair.old);
};

function check(
  value: Json,
  old: Json | undefined,
  level: Level,
  path: string,
  past: Past,
  budget: Budget,
  verdict: Verdict,
): void {
  if (value === null || budget.left < 0) return;
  if (level.rules.length > 0) {
    for (const { error, usesOldSelf } of evaluateRules(value, old ?? undefined, level, path, budget)) {
      if (!usesOldSelf && isUnchanged(past)) verdict.warnings.push(toMessage(error));
      else verdict.errors.push(error);
    }
  }
  for (const inner of level.allOf) check(value, old, inner, path, withoutPast(past), budget, verdict);
  if (Array.isArray(value)) checkItems(value, old, level, path, past, budget, verdict);
  else if (isMap(value)) checkFields(value, old, level, path, past, budget, verdict);
}

/** Errors within an `allOf` are told by what the value is in alone. */
const withoutPast = ({ above }: Past): Past => (above === undefined ? {} : { above });

/** The past of what lies in a value. */
function inner(past: Past, value: Json, old: Json | undefined): Past {
  if (past.here === undefined) return past;
  return { above: past.here, ...(old === undefined ? {} : { here: { value, old } }) };
}

function checkFields(
  map: JsonObject,
  old: Json | undefined,
  level: Level,
  path: string,
  past: Past,
  budget: Budget,
  verdict: Verdict,
): void {
  const before = isMap(old) ? old : {};
  for (const name of Object.keys(map)) {
    const value = map[name] as Json;
    const property = level.properties.get(name);
    const next = property ?? level.additional;
    if (next === undefined) continue;
    const was = Object.hasOwn(before, name) ? before[name] : undefined;
    const at = property === undefined ? `${path}[${name}]` : child(path, name);
    // Of the head of a resource rules see no change: both are of the version that is asked for.
    const isHead = path === '' && (name === 'apiVersion' || name === 'kind');
    check(value, was, next, at, isHead ? {} : inner(past, value, was), budget, verdict);
  }
}

function checkItems(
  list: Json[],
  old: Json | undefined,
  level: Level,
  path: string,
  past: Past,
  budget: Budget,
  verdict: Verdict,
): void {
  const { items, schema } = level;
  if (items === undefined) return;
  const keys = schema['x-kubernetes-list-type'] === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : [];
  const identity = (item: Json): string =>
    JSON.stringify(keys.map((key) => (isMap(item) ? (item[key] ?? null) : null)));
  const before = new Map<string, Json>();
  if (keys.length > 0 && Array.isArray(old)) for (const item of old) before.set(identity(item), item);
  list.forEach((item, index) => {
    const was = before.get(identity(item));
    check(item, was, items, `${path}[${index}]`, inner(past, item, was), budget, verdict);
  });
}
