/** What the rules of a custom resource's schema may say, and may cost (`x-kubernetes-validations`). */
import { estimatedCost } from '../../apimachinery/cel/cost.ts';
import { type Declared, declare } from '../../apimachinery/cel/declared.ts';
import {
  type FieldError,
  forbiddenField,
  internalError,
  invalid,
  notSupported,
  required,
} from '../../apimachinery/field.ts';
import { itemsOf, type StructuralSchema } from '../../apimachinery/structural/schema.ts';
import type { JSONSchemaProps } from '../../generated/types/apiextensions.v1.ts';
import { fieldPathOf } from '../custom/field-path.ts';
import { type CompiledRule, compileRules } from '../custom/rule-programs.ts';
import { shownRule } from './shown-schema.ts';

/** What one expression may cost, had an object as many of its values as it can have (`StaticEstimatedCostLimit`). */
const EXPRESSION_LIMIT = 10_000_000;
/** What all of a schema may cost (`StaticEstimatedCRDCostLimit`). */
const SCHEMA_LIMIT = 100_000_000;
const MAX_REQUEST_BYTES = 3 * 1024 * 1024;
const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];
const hasLines = (value: string): boolean => /[\n\r]/.test(value);

/** Errors of the rules of a schema as far as they can be told without looking into expressions. */
export function ruleFieldErrors(schema: JSONSchemaProps, path: string, errors: FieldError[]): void {
  schema['x-kubernetes-validations']?.forEach((rule, index) => {
    const at = `${path}.x-kubernetes-validations[${index}]`;
    const { rule: expression = '', message = '', messageExpression = '', reason, fieldPath = '' } = rule;
    const problem = messageError(expression.trim(), message, at);
    if (problem !== undefined) errors.push(problem);
    if (messageExpression !== '' && messageExpression.trim() === '') {
      errors.push(required(`${at}.messageExpression`, 'messageExpression must be non-empty if specified'));
    }
    if (reason !== undefined && !REASONS.includes(reason)) errors.push(notSupported(`${at}.reason`, reason, REASONS));
    if (fieldPath === '') return;
    const bad = (detail: string): void => void errors.push(invalid(`${at}.fieldPath`, fieldPath, detail));
    if (fieldPath.trim() === '') bad('must be non-empty if specified');
    if (hasLines(fieldPath)) bad('must not contain line breaks');
    const found = fieldPathOf(fieldPath, schema as StructuralSchema);
    if ('problem' in found) bad('must be a valid path');
  });
}

function messageError(rule: string, message: string, at: string): FieldError | undefined {
  const trimmed = message.trim();
  const bad = (detail: string): FieldError => invalid(`${at}.message`, message, detail);
  if (rule === '') return required(`${at}.rule`, 'rule is not specified');
  if (message !== '' && trimmed === '') return bad('must be non-empty if specified');
  if (hasLines(trimmed)) return bad('must not contain line breaks');
  if (hasLines(rule) && trimmed === '') {
    return required(`${at}.message`, 'message must be specified if rule contains line breaks');
  }
  return undefined;
}

/** Where a schema stands: how often its values can be, and below which list they cannot be told apart. */
interface Place {
  /** Undefined where nothing bounds it. */
  most: number | undefined;
  uncorrelatable?: string;
}

/** The costs of a whole schema. */
interface Total {
  /** Schemas whose rules would only say again what is wrong. */
  wrong: ReadonlySet<unknown>;
  cost: number;
  expensive: { path: string; cost: number }[];
}

/** Errors of the expressions of a whole schema, but for those of schemas in which something else is wrong. */
export function ruleErrors(
  schema: JSONSchemaProps,
  wrong: ReadonlySet<JSONSchemaProps>,
  path: string,
  errors: FieldError[],
): void {
  const total: Total = { wrong, cost: 0, expensive: [] };
  walk(schema as StructuralSchema, true, path, { most: 1 }, total, errors);
  if (total.cost <= SCHEMA_LIMIT) return;
  const cause = 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema';
  const most = total.expensive.sort((a, b) => b.cost - a.cost).slice(0, 4);
  for (const expensive of most) errors.push(forbiddenField(expensive.path, cause));
  const what = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema';
  errors.push(forbiddenField(path, overBudget(what, total.cost, SCHEMA_LIMIT)));
}

const isEmbedded = (schema: StructuralSchema): boolean => schema['x-kubernetes-embedded-resource'] === true;

function walk(
  schema: StructuralSchema,
  isRoot: boolean,
  path: string,
  place: Place,
  total: Total,
  errors: FieldError[],
): void {
  ownErrors(schema, isRoot, path, place, total, errors);
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    walk(inner, isEmbedded(inner), `${path}.properties[${name}]`, place, total, errors);
  }
  const { additionalProperties, maxProperties, maxItems } = schema;
  if (typeof additionalProperties === 'object') {
    const inside = { ...place, most: asOften(place.most, maxProperties) };
    walk(additionalProperties, isEmbedded(additionalProperties), `${path}.additionalProperties`, inside, total, errors);
  }
  const items = itemsOf(schema);
  if (items === undefined) return;
  const inside: Place = { ...place, most: asOften(place.most, maxItems) };
  if (schema['x-kubernetes-list-type'] !== 'map') inside.uncorrelatable ??= path;
  walk(items, isEmbedded(items), `${path}.items`, inside, total, errors);
}

const asOften = (outer: number | undefined, inner: number | undefined): number | undefined =>
  outer === undefined || inner === undefined ? undefined : outer * Math.max(0, inner);

function ownErrors(
  schema: StructuralSchema,
  isRoot: boolean,
  path: string,
  place: Place,
  total: Total,
  errors: FieldError[],
): void {
  const rules = schema['x-kubernetes-validations'] ?? [];
  if (rules.length === 0 || total.wrong.has(schema)) return;
  const declared = declare(schema, isRoot);
  if (declared === undefined) {
    const why = 'unable to convert structural schema to CEL declarations';
    const what = 'internal error: failed to construct type information for x-kubernetes-validations rules';
    errors.push(internalError(`${path}.x-kubernetes-validations`, `${what}: ${why}`));
    return;
  }
  compileRules(rules, declared, schema).forEach((compiled, index) => {
    const at = `${path}.x-kubernetes-validations[${index}]`;
    costErrors(compiled, declared, at, place, total, errors);
    compileErrors(compiled, at, place, errors);
  });
}

function costErrors(
  { program, message }: CompiledRule,
  declared: Declared,
  at: string,
  { most }: Place,
  total: Total,
  errors: FieldError[],
): void {
  const variables = { self: declared, oldSelf: declared };
  const observe = (path: string, cost: number, what: string): void => {
    if (cost > EXPRESSION_LIMIT) errors.push(forbiddenField(path, overBudget(what, cost, EXPRESSION_LIMIT)));
    total.cost += cost;
    if (cost >= SCHEMA_LIMIT / 100) total.expensive.push({ path, cost });
  };
  if (program !== undefined) {
    const cost = estimatedCost(program.root, variables);
    // Without a bound there are as many values as fit into a request.
    const often = most ?? Math.floor(MAX_REQUEST_BYTES / (declared.minSize + 1));
    observe(`${at}.rule`, cost === 0 ? 0 : cost * often, 'estimated rule cost');
  }
  if (message !== undefined) {
    observe(`${at}.messageExpression`, estimatedCost(message.root, variables), 'estimated messageExpression cost');
  }
}

function compileErrors(compiled: CompiledRule, at: string, { uncorrelatable }: Place, errors: FieldError[]): void {
  const { rule, problem, messageProblem, usesOldSelf } = compiled;
  if (problem !== undefined) errors.push(invalid(`${at}.rule`, shownRule(rule), problem));
  if (messageProblem !== undefined) errors.push(invalid(`${at}.messageExpression`, shownRule(rule), messageProblem));
  if (usesOldSelf) {
    if (uncorrelatable === undefined) return;
    const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelatable}`;
    errors.push(invalid(`${at}.rule`, rule.rule, detail));
  } else if (rule.optionalOldSelf !== undefined && problem === undefined) {
    const detail = 'may not be set if oldSelf is not used in rule';
    errors.push(invalid(`${at}.optionalOldSelf`, rule.optionalOldSelf, detail));
  }
}

function overBudget(what: string, cost: number, limit: number): string {
  const times = cost / limit;
  const factor = times > 100 ? 'more than 100x' : times < 1.5 ? `${times.toFixed(6)}x` : `${times.toFixed(1)}x`;
  const advice = 'adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared';
  return `${what} exceeds budget by factor of ${factor} (try simplifying the rule, or ${advice})`;
}
