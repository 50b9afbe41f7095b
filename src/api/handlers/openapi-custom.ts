/** OpenAPI v3 of custom resources, made when somebody asks: enough for `kubectl explain` and for generators of clients. */
import { formatApiVersion, type Json, type JsonObject } from '../../apimachinery/meta.ts';
import type { StructuralSchema } from '../../apimachinery/structural/schema.ts';
import type { Resource } from '../../resources/resource.ts';
import type { Context, Fetching } from '../context.ts';
import { definedResources } from '../registry/definitions.ts';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const REF = '#/components/schemas/';
/** A small document of a built-in version: what all kinds have in common is copied from it. */
const COMMON = 'https://assets/openapi/v3/apis/scheduling.k8s.io/v1.json';

let common: JsonObject | undefined;

/** The schemas of metadata, lists, Status and options. */
async function commonSchemas(assets: Fetching): Promise<JsonObject> {
  if (common !== undefined) return common;
  const document = (await (await assets.fetch(new Request(COMMON))).json()) as { components: { schemas: JsonObject } };
  const schemas = Object.entries(document.components.schemas).filter(([name]) => !name.startsWith('io.k8s.api.'));
  common = Object.fromEntries(schemas);
  return common;
}

/** Paths of the documents of custom resources with what changes when they do: `apis/demo.example.com/v1`. */
export function customDocuments({ snapshot }: Context): Map<string, string> {
  const documents = new Map<string, string>();
  for (const { group, version, custom } of snapshot.custom.resources) {
    const path = `apis/${group}/${version}`;
    documents.set(path, `${documents.get(path) ?? ''}${custom?.definition}@${custom?.resourceVersion};`);
  }
  return documents;
}

/** The document of a group and version that definitions serve; undefined where none does. */
export async function customDocument(
  context: Context,
  group: string,
  version: string,
): Promise<JsonObject | undefined> {
  const members = context.snapshot.custom.resources.filter((r) => r.group === group && r.version === version);
  if (members.length === 0) return undefined;
  const schemas: JsonObject = { ...(await commonSchemas(context.around.assets)) };
  const paths: JsonObject = {};
  for (const resource of await withSchemas(context, members)) {
    Object.assign(schemas, schemasOf(resource));
    Object.assign(paths, pathsOf(resource));
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes CRD Swagger', version: 'v0.1.0' },
    paths,
    components: { schemas },
  };
}

/** The resources as their definitions have them: a snapshot knows them without their schemas. */
export async function withSchemas(context: Context, members: readonly Resource[]): Promise<Resource[]> {
  const found: Resource[] = [];
  for (const { custom, version } of members) {
    const { definition = '', resourceVersion = '' } = custom ?? {};
    const all = await definedResources(context.around, context.info.cluster, definition, resourceVersion);
    const resource = all?.get(version);
    if (resource !== undefined) found.push(resource);
  }
  return found;
}

/** `com.example.demo.v1.Widget`. */
export const schemaName = ({ group, version }: Resource, kind: string): string =>
  `${group.split('.').reverse().join('.')}.${version}.${kind}`;

const listKindOf = ({ kind, listKind }: Resource): string => listKind ?? `${kind}List`;

const gvkOf = ({ group, version }: Resource, kind: string): JsonObject => ({ group, kind, version });

const TYPE_META: JsonObject = {
  apiVersion: {
    type: 'string',
    description: 'APIVersion defines the versioned schema of this representation of an object.',
  },
  kind: {
    type: 'string',
    description: 'Kind is a string value representing the REST resource this object represents.',
  },
};

/** The schemas of a resource and of its list, by name. */
export function schemasOf(resource: Resource): JsonObject {
  const { kind } = resource;
  const { properties = {}, ...schema } = resource.custom?.schema ?? { type: 'object' };
  const { metadata: _, ...own } = properties as Record<string, StructuralSchema>;
  const name = schemaName(resource, kind);
  const listKind = listKindOf(resource);
  const ref = (target: string, description?: string): JsonObject => ({
    allOf: [{ $ref: `${REF}${target}` }],
    ...(description === undefined ? {} : { description }),
  });
  return {
    [name]: {
      ...(schema as unknown as JsonObject),
      type: 'object',
      properties: {
        ...TYPE_META,
        ...(own as unknown as JsonObject),
        metadata: ref(`${META}.ObjectMeta`, "Standard object's metadata."),
      },
      'x-kubernetes-group-version-kind': [gvkOf(resource, kind)],
    },
    [schemaName(resource, listKind)]: {
      type: 'object',
      description: `${listKind} is a list of ${kind}`,
      required: ['items'],
      properties: {
        ...TYPE_META,
        items: { type: 'array', items: ref(name), description: `List of ${resource.resource}.` },
        metadata: ref(`${META}.ListMeta`, 'Standard list metadata.'),
      },
      'x-kubernetes-group-version-kind': [gvkOf(resource, listKind)],
    },
  };
}

const ACTIONS = {
  collection: [
    ['get', 'list', 'list'],
    ['post', 'create', 'post'],
    ['delete', 'delete', 'deletecollection'],
  ],
  item: [
    ['get', 'read', 'get'],
    ['put', 'replace', 'put'],
    ['delete', 'delete', 'delete'],
    ['patch', 'patch', 'patch'],
  ],
} as const;

const WRITES = ['post', 'put', 'patch'];
const query = (name: string, type = 'string'): JsonObject => ({
  name,
  in: 'query',
  schema: { type, uniqueItems: true },
});
/** By these kubectl sees that the server validates fields, so that it need not. */
const PARAMETERS = ['dryRun', 'fieldManager', 'fieldValidation'].map((name) => query(name));
const FORCE = query('force', 'boolean');

function pathsOf(resource: Resource): JsonObject {
  const root = `/apis/${formatApiVersion(resource)}`;
  const { namespaced, resource: plural } = resource;
  const base = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`;
  const inPath = namespaced ? ['namespace'] : [];
  const paths: JsonObject = {
    [base]: pathItem(resource, 'collection', inPath),
    [`${base}/{name}`]: pathItem(resource, 'item', ['name', ...inPath]),
  };
  for (const { name } of resource.subresources ?? []) {
    paths[`${base}/{name}/${name}`] = pathItem(resource, 'item', ['name', ...inPath], name);
  }
  if (namespaced) paths[`${root}/${plural}`] = pathItem(resource, 'collection', []);
  return paths;
}

function pathItem(resource: Resource, of: keyof typeof ACTIONS, inPath: string[], subresource = ''): JsonObject {
  const { group, version, kind } = resource;
  const answer = schemaName(resource, of === 'collection' ? listKindOf(resource) : kind);
  const title = [...group.split('.'), version, kind, subresource]
    .map((w) => w.charAt(0).toUpperCase() + w.slice(1))
    .join('');
  const content: JsonObject = { 'application/json': { schema: { $ref: `${REF}${answer}` } } };
  const operations = ACTIONS[of]
    .filter(([method]) => subresource === '' || method !== 'delete')
    .map(([method, word, action]): [string, Json] => [
      method,
      {
        operationId: `${word}${action === 'deletecollection' ? 'Collection' : ''}${title}`,
        ...(WRITES.includes(method) ? { parameters: method === 'patch' ? [...PARAMETERS, FORCE] : PARAMETERS } : {}),
        responses: { 200: { description: 'OK', content } },
        'x-kubernetes-action': action,
        'x-kubernetes-group-version-kind': gvkOf(resource, kind),
      },
    ]);
  const parameters = inPath.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
  return { ...Object.fromEntries(operations), ...(parameters.length === 0 ? {} : { parameters }) };
}
