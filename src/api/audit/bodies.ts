/** What requests and answers hold, as far as it may be noted down. */
import { decodeProtobuf, decodeYaml } from '../../apimachinery/codec/index.ts';
import type { Json, JsonObject } from '../../apimachinery/meta.ts';
import { contentType, readBody } from '../decode.ts';
import { PROTOBUF_TYPE, YAML_TYPE } from '../negotiation.ts';
import type { RequestInfo } from '../request-info.ts';

/** Bodies of requests for these are credentials. */
const SECRET_RESOURCES = new Set(['secrets', 'serviceaccounts/token', 'tokenreviews']);
/** Nor are objects of these kinds noted down where they do not belong. */
const SECRET_KINDS = /^(?:Secret|SecretList|TokenRequest|TokenReview)$/;
const IS_YAML = /[/+]yaml$/;
const IS_JSON = /[/+]json$/;

/** Whether what a request is about must not be noted down, whatever a policy says. */
export function isConfidential({ isResource, resource, subresource }: RequestInfo): boolean {
  return isResource && (SECRET_RESOURCES.has(resource) || SECRET_RESOURCES.has(`${resource}/${subresource}`));
}

/** The object in a body; undefined where there is none, or none that may be told. */
export async function objectIn(
  body: Request | Response | undefined,
  omitManagedFields: boolean,
): Promise<Json | undefined> {
  if (body === undefined) return undefined;
  try {
    const object = decode(await readBody(body), contentType(body));
    if (object === undefined || isSecret(object)) return undefined;
    if (omitManagedFields) dropManagedFields(object);
    return object;
  } catch {
    // Whoever sent it is told why by his answer.
    return undefined;
  }
}

function decode(bytes: Uint8Array, type: string): Json | undefined {
  if (bytes.length === 0) return undefined;
  if (type === PROTOBUF_TYPE) return decodeProtobuf(bytes).object as Json;
  const text = new TextDecoder().decode(bytes);
  if (type === YAML_TYPE || IS_YAML.test(type)) return decodeYaml(text);
  return IS_JSON.test(type) ? (JSON.parse(text) as Json) : undefined;
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The objects of a list or a table. */
function parts({ items, rows }: JsonObject): (Json | undefined)[] {
  if (Array.isArray(items)) return items;
  return Array.isArray(rows) ? rows.map((row) => (isObject(row) ? row['object'] : undefined)) : [];
}

function isSecret(value: Json | undefined): boolean {
  if (!isObject(value)) return false;
  return SECRET_KINDS.test(String(value['kind'] ?? '')) || parts(value).some(isSecret);
}

function dropManagedFields(value: Json | undefined): void {
  if (!isObject(value)) return;
  const { metadata } = value;
  if (isObject(metadata)) delete metadata['managedFields'];
  parts(value).forEach(dropManagedFields);
}
