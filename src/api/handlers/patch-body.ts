/** The bodies of patches. */
import type { PatchType } from '../../apimachinery/client.ts';
import { decodeYaml, yamlDuplicates } from '../../apimachinery/codec/index.ts';
import { badRequest, StatusError } from '../../apimachinery/errors.ts';
import type { Json } from '../../apimachinery/meta.ts';
import type { RequestOptions } from '../../durable-objects/rpc.ts';

/** A patch as JSON. Throws BadRequest for what is none, and for keys that stand twice under Strict. */
export function patchBody(
  text: string,
  type: PatchType,
  { fieldValidation }: Pick<RequestOptions, 'fieldValidation'>,
  warnings: string[],
): string {
  if (type !== 'apply') return checkedJson(text);
  const body = JSON.stringify(decodeApplied(text));
  const duplicates = fieldValidation === 'Ignore' ? '' : yamlDuplicates(text);
  if (duplicates !== '' && fieldValidation === 'Strict') throw badRequest(`error strict decoding YAML: ${duplicates}`);
  if (duplicates !== '') warnings.push(duplicates);
  return body;
}

function checkedJson(text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch (error) {
    throw badRequest(`error decoding patch: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function decodeApplied(text: string): Json {
  try {
    return decodeYaml(text);
  } catch (error) {
    throw error instanceof StatusError ? badRequest(`error decoding YAML: ${error.message}`) : error;
  }
}
