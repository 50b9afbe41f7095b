/** What a mutation makes of an object (upstream's `patch.Patcher`). */
import { toJson, typeMismatches } from '../../../../apimachinery/cel/libraries/mutation.ts';
import { StatusError } from '../../../../apimachinery/errors.ts';
import { applyUnowned } from '../../../../apimachinery/fieldmanager/unowned.ts';
import type { Json, JsonObject, KubeObject } from '../../../../apimachinery/meta.ts';
import { jsonPatch, TestFailed } from '../../../../apimachinery/patch/index.ts';
import type { Resource } from '../../../../resources/resource.ts';
import { typeOfBody } from '../../../registry/managed-fields.ts';
import type { PatchType } from './compile.ts';

/** The mutation fails; what follows is its policy's failure policy's to say. */
export class MutationError extends Error {}

/**
 * The object with the value of a mutation's expression applied, not yet read as what it is to be; undefined where a test of a JSON patch
 * says that nothing is to be changed. Throws a MutationError.
 */
export function patched(
  object: KubeObject,
  resource: Resource,
  patchType: PatchType,
  value: unknown,
): Json | undefined {
  return patchType === 'JSONPatch' ? byJsonPatch(object, value) : byConfiguration(object, resource, value);
}

function byJsonPatch(object: KubeObject, value: unknown): Json | undefined {
  const operations = value as ReadonlyMap<string, unknown>[];
  checkTypes(operations.map((operation) => operation.get('value')));
  try {
    return jsonPatch(structuredClone(object) as unknown as Json, jsonOf(operations));
  } catch (error) {
    if (error instanceof TestFailed) return undefined;
    if (!(error instanceof StatusError)) throw error;
    throw new MutationError(`JSON Patch: ${error.message}`);
  }
}

function byConfiguration(object: KubeObject, resource: Resource, value: unknown): Json {
  checkTypes([value]);
  const { apiVersion = '', kind = '' } = object;
  const config = { ...(jsonOf(value) as JsonObject), apiVersion, kind };
  const type = typeOfBody(resource, apiVersion, kind);
  if (type === undefined) throw new MutationError(`Resource kind ${apiVersion}, Kind=${kind} not found`);
  const result = applyUnowned(type, object as unknown as Json, config);
  if ('problem' in result) throw new MutationError(`error applying patch: ${result.problem}`);
  return result.object;
}

function checkTypes(values: readonly unknown[]): void {
  const mismatches = values.flatMap((value) => typeMismatches(value));
  if (mismatches.length > 0) throw new MutationError(`type mismatch: ${mismatches.join('\n')}`);
}

function jsonOf(value: unknown): Json {
  try {
    return toJson(value);
  } catch (error) {
    throw new MutationError(error instanceof Error ? error.message : String(error));
  }
}
