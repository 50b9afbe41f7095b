/** How custom resources are made and changed, after upstream's `customresource.customResourceStrategy`. */
import { deepEqual } from '../../apimachinery/equal.ts';
import { type FieldError, type FieldErrorType, invalid } from '../../apimachinery/field.ts';
import type { Json, JsonObject, KubeObject } from '../../apimachinery/meta.ts';
import { applyDefaults } from '../../apimachinery/structural/defaults.ts';
import { validateListTypes } from '../../apimachinery/structural/list-types.ts';
import type { StructuralSchema } from '../../apimachinery/structural/schema.ts';
import { NO_FIELD, validateStructural } from '../../apimachinery/structural/validate.ts';
import type { Strategy, SubresourceStrategy } from '../resource.ts';
import { keep } from '../strategies.ts';
import { rulesOf, validateRules } from './rules.ts';

type Custom = KubeObject & { status?: unknown };
const jsonOf = (object: KubeObject): JsonObject => object as unknown as JsonObject;

/** The strategy of a version; without a schema anything goes. */
export function strategyOf(schema: StructuralSchema | undefined, hasStatus: boolean): Strategy<KubeObject> {
  return {
    default(object) {
      if (schema !== undefined) applyDefaults(jsonOf(object), schema);
    },
    prepareForCreate(object: Custom) {
      if (hasStatus) delete object.status;
    },
    prepareForUpdate(object: Custom, old: Custom) {
      if (hasStatus) keep(object, old, 'status');
    },
    validate: (object) => withRules(validate(object, schema), object, undefined, schema),
    validateUpdate: (object, old) => withRules(validateUpdate(object, old, schema), object, old, schema),
    warnings: (object) => warnings.get(object) ?? [],
    plainFinalizers: true,
    metadataChecks: [0, 0],
    generation: true,
    generationChanged: (object, old) => !deepEqual(wanted(object, hasStatus), wanted(old, hasStatus)),
    unconditionalUpdate: false,
  };
}

/** A `status` subresource changes the status and who manages it, nothing else. */
export function statusStrategy(schema: StructuralSchema | undefined): SubresourceStrategy<KubeObject> {
  return {
    prepareForUpdate(object: Custom, old: Custom) {
      const target = jsonOf(object);
      const { managedFields } = object.metadata;
      for (const field of Object.keys(target)) if (field !== 'status') delete target[field];
      for (const [field, value] of Object.entries(jsonOf(old))) if (field !== 'status') target[field] = value as Json;
      object.metadata = { ...old.metadata };
      if (managedFields === undefined) delete object.metadata.managedFields;
      else object.metadata.managedFields = managedFields;
    },
    validateUpdate: (object, old) => withRules(validateUpdate(object, old, schema), object, old, schema),
  };
}

/** All that counts as a change of what is wanted. */
function wanted(object: KubeObject, hasStatus: boolean): JsonObject {
  const { metadata: _, ...rest } = jsonOf(object);
  if (hasStatus) delete rest['status'];
  return rest;
}

function validate(object: KubeObject, schema: StructuralSchema | undefined): FieldError[] {
  if (schema === undefined) return [];
  const value = jsonOf(object);
  return [...validateStructural(value, schema), ...validateListTypes(value, schema)];
}

/** After such errors rules would be asked about values that they are not written for (`hasBlockingErr`). */
const BLOCKING: readonly FieldErrorType[] = [
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
];
const UNCHECKED =
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';

/** Broken rules that block nothing, by the object that was validated. */
const warnings = new WeakMap<KubeObject, string[]>();

/** The errors with those of the schema's rules, which are asked last. */
function withRules(
  errors: FieldError[],
  object: KubeObject,
  old: KubeObject | undefined,
  schema: StructuralSchema | undefined,
): FieldError[] {
  const rules = schema === undefined ? undefined : rulesOf(schema);
  if (rules === undefined) return errors;
  if (errors.some(({ type }) => BLOCKING.includes(type))) return [...errors, invalid(NO_FIELD, null, UNCHECKED)];
  const verdict = validateRules(jsonOf(object), old === undefined ? undefined : jsonOf(old), rules);
  if (verdict.warnings.length > 0) warnings.set(object, verdict.warnings);
  return [...errors, ...verdict.errors];
}

/** What was wrong before and has not changed blocks no update (ratcheting). */
function validateUpdate(object: KubeObject, old: KubeObject, schema: StructuralSchema | undefined): FieldError[] {
  const errors = validate(object, schema);
  if (errors.length === 0) return errors;
  const before = validate(old, schema);
  return errors.filter(
    (error) =>
      !(
        before.some((other) => other.field === error.field && other.body === error.body) &&
        error.field !== NO_FIELD &&
        deepEqual(valueAt(jsonOf(object), error.field), valueAt(jsonOf(old), error.field))
      ),
  );
}

/** The value at `spec.parts[0].name`; undefined where there is none. */
function valueAt(object: JsonObject, path: string): unknown {
  let value: unknown = object;
  for (const step of path.split(/\.|(?=\[)/)) {
    const name = step.startsWith('[') ? step.slice(1, -1) : step;
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  }
  return value;
}
