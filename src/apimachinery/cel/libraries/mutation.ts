/** What mutations are written with: values of the types `Object`, `Object.spec` and so on, and `JSONPatch` (upstream's `cel/mutation`). */
import { Duration, type Environment, UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import { toBase64 } from '../../codec/base64.ts';
import { define } from '../../codec/depth.ts';
import type { Json, JsonObject } from '../../meta.ts';
import { valueText } from '../format-text.ts';
import { CONSTRUCT } from '../source.ts';
import { fail, type Library, Misfit } from './library.ts';
import type { Optional } from './optionals.ts';
import type { Checker, Evaluator, Expansion, Node, Scope, Type } from './two-variables.ts';

const OBJECT = 'Object';
export const JSON_PATCH = 'JSONPatch';
const TEXTS = ['op', 'from', 'path'];
const PATCH_FIELDS = [...TEXTS, 'value'];

/** A value of a named type. */
export class Constructed extends Map<string, unknown> {
  readonly type: string = '';
}

/** Whether a construction may speak of the type: of fields below `Object` nothing is known, any name is one. */
export const isMutationType = (name: string): boolean =>
  name === OBJECT || name === JSON_PATCH || name.startsWith(`${OBJECT}.`);

/** Makes values of these types; each must be a mutation's. */
export function mutationTypes(environment: Environment, names: readonly string[]): void {
  const classes = new Map<string, new () => Constructed>();
  for (const type of new Set([...names, OBJECT, JSON_PATCH])) {
    if (!isMutationType(type)) continue;
    const constructs = class extends Constructed {
      override readonly type = type;
    };
    classes.set(type, constructs);
    environment.registerType(type, { ctor: constructs });
  }
  const expand = ({ args }: Expansion) => {
    const [named, fields] = args as [Node, Node];
    const name = String(named.args);
    const entries = fields.args as [Node, Node][];
    return {
      async: false,
      typeCheck(checker: Checker, _: unknown, scope: Scope): Type {
        if (!classes.has(name)) throw new Misfit(`undeclared reference to '${name}' (in container '')`, named);
        for (const [field, value] of entries) checkField(name, field, value, checker.check(value, scope));
        return checker.getType(name);
      },
      evaluate(evaluator: Evaluator, _: unknown, scope: Scope): unknown {
        const made = new (classes.get(name) as new () => Constructed)();
        for (const [field, value] of entries) put(made, String(field.args), evaluator.run(value, scope));
        return made;
      },
    };
  };
  environment.registerFunction(`${CONSTRUCT}(ast, ast): dyn`, expand as unknown as (...values: unknown[]) => unknown);
}

function checkField(type: string, field: Node, value: Node, of: Type): void {
  const name = String(field.args).replace(/^\?/, '');
  if (type !== JSON_PATCH) return;
  if (!PATCH_FIELDS.includes(name)) throw new Misfit(`undefined field '${name}'`, field);
  const wanted = String(field.args) === name ? 'string' : 'optional<string>';
  if (TEXTS.includes(name) && of.name !== wanted && of.kind !== 'dyn') {
    throw new Misfit(`expected type of field '${name}' is 'string' but provided type is '${of.name}'`, value);
  }
}

function put(made: Constructed, field: string, value: unknown): void {
  if (!field.startsWith('?')) {
    made.set(field, value);
    return;
  }
  const optional = value as Optional;
  if (optional.hasValue()) made.set(field.slice(1), optional.value());
}

class JsonPatchNamespace {}

/** `jsonpatch.escapeKey`. */
export const jsonPatch: Library = (environment) => {
  environment.registerType('JsonPatchNamespace', JsonPatchNamespace);
  environment.registerConstant('jsonpatch', 'JsonPatchNamespace', new JsonPatchNamespace());
  environment.registerFunction('JsonPatchNamespace.escapeKey(string): string', (_: unknown, key: unknown) =>
    String(key).replaceAll('~', '~0').replaceAll('/', '~1'),
  );
};

/** What a map holds, one of an object's or one that an expression made. */
function entriesOf(value: unknown): Iterable<[unknown, unknown]> | undefined {
  if (value instanceof Map) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? Object.entries(value) : undefined;
}

/** Problems of the types that values are made of: each says by its name which field it is for. */
export function typeMismatches(
  value: unknown,
  path: string = value instanceof Constructed ? value.type : '',
): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => typeMismatches(item, path));
  if (!(value instanceof Constructed)) {
    return [...(entriesOf(value) ?? [])].flatMap(([, item]) => typeMismatches(item, path));
  }
  const inner = [...value].flatMap(([field, item]) => typeMismatches(item, `${path}.${field}`));
  if (value.type === path) return inner;
  const wanted = `expected ${JSON.stringify(path)}, which matches field name path from root Object type`;
  return [`unexpected type name ${JSON.stringify(value.type)}, ${wanted}`, ...inner];
}

/** A value of an expression as JSON. Throws as an expression does for one that JSON has no word for. */
export function toJson(value: unknown): Json {
  if (typeof value === 'bigint') return Number(value);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : fail('json: unsupported value');
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof UnsignedInt) return Number(value.valueOf());
  if (value instanceof Uint8Array) return toBase64(value);
  if (value instanceof Date || value instanceof Duration) return valueText(value);
  const entries = entriesOf(value);
  if (entries === undefined) return fail(`unsupported type conversion: ${typeof value} to JSON`);
  const object: JsonObject = {};
  for (const [key, item] of entries) {
    if (typeof key !== 'string') return fail(`map key ${JSON.stringify(String(key))} is not a string`);
    define(object, key, toJson(item));
  }
  return object;
}
