/** Custom resources in the OpenAPI v2 document, which is one for all: what is theirs is put into the static one. */
import { hex, sha256 } from '../../apimachinery/digest.ts';
import { formatApiVersion, type Json, type JsonObject } from '../../apimachinery/meta.ts';
import { isObject } from '../../apimachinery/patch/values.ts';
import { SCHEMA_FIELDS } from '../../apimachinery/swagger/messages.ts';
import { swaggerProtobuf } from '../../apimachinery/swagger/protobuf.ts';
import type { Resource } from '../../resources/resource.ts';
import type { Context } from '../context.ts';
import { acceptsGzip } from '../negotiation.ts';
import { GZIPPED } from '../respond.ts';
import { customDocuments, schemaName, schemasOf, withSchemas } from './openapi-custom.ts';

/** The document with custom resources in it, or 304 for who has it; undefined where there are none. `hash`: of the static one. */
export async function customV2(
  context: Context,
  file: string,
  hash: string,
  type: string,
): Promise<Response | undefined> {
  const states = customDocuments(context);
  if (states.size === 0) return undefined;
  const etag = `"${hex(await sha256(`${hash} ${[...states].join()}`)).toUpperCase()}"`;
  if (context.request.headers.get('if-none-match')?.includes(etag))
    return new Response(null, { status: 304, headers: { etag } });
  const plain = await context.around.assets.fetch(new Request(`https://assets/openapi/${file}`));
  const added = await customParts(context);
  const gzip = acceptsGzip(context.request.headers.get('accept-encoding'));
  const headers = { 'content-type': type, etag, ...(gzip ? GZIPPED : {}) };
  if (file.endsWith('.json')) return new Response(withParts(await plain.text(), added), { headers });
  // Messages that follow each other are one, with the fields of both.
  return new Response(new Blob([await plain.arrayBuffer(), swaggerProtobuf(added) as Uint8Array<ArrayBuffer>]), {
    headers,
  });
}

interface Parts extends JsonObject {
  paths: JsonObject;
  definitions: JsonObject;
}

async function customParts(context: Context): Promise<Parts> {
  const parts: Parts = { paths: {}, definitions: {} };
  for (const resource of await withSchemas(context, context.snapshot.custom.resources)) {
    Object.assign(parts.paths, pathsOf(resource));
    Object.assign(parts.definitions, definitionsOf(resource));
  }
  return parts;
}

/** The document is large, and what is added stands at the beginning of two of its objects: it need not be parsed. */
function withParts(document: string, parts: Parts): string {
  let text = document;
  for (const [key, value] of Object.entries(parts)) {
    const opening = `${JSON.stringify(key)}:{`;
    const at = text.indexOf(opening) + opening.length;
    const added = JSON.stringify(value).slice(1, -1);
    if (added !== '') text = `${text.slice(0, at)}${added},${text.slice(at)}`;
  }
  return text;
}

function definitionsOf(resource: Resource): JsonObject {
  const found: JsonObject = {};
  for (const [name, schema] of Object.entries(schemasOf(resource))) found[name] = inV2(schema as JsonObject, true);
  return found;
}

const UNKNOWN = 'x-kubernetes-preserve-unknown-fields';

/** A schema without what v2 or its readers do not know (upstream's `ToStructuralOpenAPIV2`). */
function inV2(schema: JsonObject, isRoot = false): JsonObject {
  const only = Array.isArray(schema['allOf']) ? (schema['allOf'][0] as JsonObject) : undefined;
  const ref = schema['$ref'] ?? only?.['$ref'];
  if (typeof ref === 'string') {
    const { description } = schema;
    const $ref = ref.replace('#/components/schemas/', '#/definitions/');
    return description === undefined ? { $ref } : { description, $ref };
  }
  const keepsUnknown = schema[UNKNOWN] === true;
  const gvk = 'x-kubernetes-group-version-kind';
  if (isRoot && keepsUnknown) return { type: 'object', [gvk]: schema[gvk] as Json };
  const made: JsonObject = {};
  for (const [key, value] of Object.entries(schema)) {
    if (value !== undefined && (SCHEMA_FIELDS.has(key) || key.startsWith('x-'))) made[key] = inner(key, value);
  }
  const isNullable = schema['nullable'] === true;
  if (isNullable || keepsUnknown) for (const key of ['items', 'properties']) delete made[key];
  const isOpen = made['type'] === 'object' && keepsUnknown;
  const isListOfAnything = made['type'] === 'array' && made['items'] === undefined;
  if (isNullable || isOpen || isListOfAnything) delete made['type'];
  if (Array.isArray(made['required']) && isObject(schema['properties'])) {
    const properties = schema['properties'];
    const required = made['required'].filter((name) => (properties[String(name)] as JsonObject)?.['nullable'] !== true);
    if (required.length === 0) delete made['required'];
    else made['required'] = required;
  }
  return made;
}

function inner(key: string, value: Json): Json {
  if ((key === 'items' || key === 'additionalProperties') && isObject(value)) return inV2(value);
  if (key !== 'properties' || !isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, inV2(schema as JsonObject)]));
}

const PATCHES = ['application/apply-patch+yaml', 'application/json-patch+json', 'application/merge-patch+json'];
const query = (name: string, type = 'string'): JsonObject => ({ name, in: 'query', type, uniqueItems: true });
const WRITES = [query('dryRun'), query('fieldManager'), query('fieldValidation')];

const OPERATIONS: readonly (readonly [method: string, action: string, of: 'collection' | 'item'])[] = [
  ['get', 'list', 'collection'],
  ['post', 'post', 'collection'],
  ['delete', 'deletecollection', 'collection'],
  ['get', 'get', 'item'],
  ['put', 'put', 'item'],
  ['delete', 'delete', 'item'],
  ['patch', 'patch', 'item'],
];

/** What can be done with the objects: clients look here for what a server can do, as dry runs. */
function pathsOf(resource: Resource): JsonObject {
  const { group, version, kind, namespaced, resource: plural } = resource;
  const root = `/apis/${formatApiVersion(resource)}`;
  const collection = `${root}${namespaced ? '/namespaces/{namespace}' : ''}/${plural}`;
  const inPath = (name: string): JsonObject => ({
    name,
    in: 'path',
    type: 'string',
    required: true,
    uniqueItems: true,
  });
  const namespace = namespaced ? [inPath('namespace')] : [];
  const schema = { $ref: `#/definitions/${schemaName(resource, kind)}` };
  const responses = { 200: { description: 'OK', schema }, 401: { description: 'Unauthorized' } };
  const common = {
    produces: ['application/json', 'application/yaml'],
    responses,
    'x-kubernetes-group-version-kind': { group, version, kind },
  };
  const items: Record<'collection' | 'item', JsonObject> = {
    collection: { parameters: namespace },
    item: { parameters: [inPath('name'), ...namespace] },
  };
  const title = [...group.split('.'), version, kind].map((w) => w.charAt(0).toUpperCase() + w.slice(1)).join('');
  for (const [method, action, of] of OPERATIONS) {
    const writes = ['post', 'put', 'patch'].includes(method);
    const body = { name: 'body', in: 'body', required: true, schema };
    const force = method === 'patch' ? [query('force', 'boolean')] : [];
    items[of][method] = {
      operationId: `${action}${title}`,
      consumes: method === 'patch' ? PATCHES : ['application/json', 'application/yaml'],
      ...(writes ? { parameters: [body, ...WRITES, ...force] } : {}),
      ...common,
      'x-kubernetes-action': action,
    };
  }
  return { [collection]: items.collection, [`${collection}/{name}`]: items.item };
}
