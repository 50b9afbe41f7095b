/** OpenAPI v3, a document for each group and for each version of one, and v2, one for all. */
import { createHash } from 'node:crypto';
import type { JsonObject } from '../../src/apimachinery/meta.ts';
import { formatApiVersion } from '../../src/apimachinery/meta.ts';
import { allMessages, type MessageSchema, schemaFor } from '../../src/apimachinery/schema/index.ts';
import { swaggerProtobuf } from '../../src/apimachinery/swagger/protobuf.ts';
import { resources } from '../../src/resources/index.ts';
import type { Resource } from '../../src/resources/resource.ts';
import type { GroupVersionKind } from './operations.ts';
import { discoveryPath, pathsOf } from './paths.ts';
import { Schemas } from './schemas.ts';

const INFO = { title: 'Kubernetes', version: 'v1.36.0' };
/** Kinds of `meta/v1` that every version's document has. */
const META_KINDS = ['APIResourceList', 'DeleteOptions', 'Status', 'WatchEvent'];
/** Those of them that belong to each group, too. */
const IN_EVERY_GROUP = new Set(['DeleteOptions', 'WatchEvent']);

/** What the documents are made of, by file name below `openapi/`: texts, and `v2.pb`. `etags.json` says the hash of each. */
export async function generateOpenApi(root: string): Promise<Map<string, string | Uint8Array>> {
  const documents = new Map<string, JsonObject>();
  const gvks = gvkIndex();
  const versions = byVersion();
  for (const [apiVersion, members] of versions) {
    const [{ group, version }] = members as [Resource, ...Resource[]];
    const paths = [discoveryPath(group, version, false), ...members.map((resource) => pathsOf(resource, false))];
    documents.set(group === '' ? `api/${version}` : `apis/${apiVersion}`, {
      openapi: '3.0.0',
      info: INFO,
      paths: sorted(Object.assign({}, ...paths)),
      components: {
        schemas: new Schemas(root, '#/components/schemas/', gvksIn(gvks, members)).closure(
          kindsOf(apiVersion, members),
        ),
        ...SECURITY,
      },
    });
  }
  for (const group of new Set([...versions.values()].map(([first]) => first?.group ?? ''))) {
    const kind = schemaFor('v1', group === '' ? 'APIVersions' : 'APIGroup') as MessageSchema;
    documents.set(group === '' ? 'api' : `apis/${group}`, {
      openapi: '3.0.0',
      info: INFO,
      paths: discoveryPath(group, undefined, false),
      components: {
        schemas: new Schemas(root, '#/components/schemas/', gvksIn(gvks, [])).closure([kind]),
        ...SECURITY,
      },
    });
  }
  const files = new Map<string, string | Uint8Array>();
  const index: JsonObject = {};
  for (const path of [...documents.keys()].sort()) {
    const text = JSON.stringify(documents.get(path));
    files.set(`v3/${path}.json`, text);
    index[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hashOf(text)}` };
  }
  files.set('v3/index.json', JSON.stringify({ paths: index }));
  const v2 = swagger(root, gvks, versions);
  files.set('v2.json', JSON.stringify(v2));
  files.set('v2.pb', swaggerProtobuf(v2));
  const etags = [...files].map(([name, content]) => [name, hashOf(content)] as const);
  files.set('etags.json', JSON.stringify(Object.fromEntries(etags)));
  return files;
}

const hashOf = (content: string | Uint8Array): string =>
  createHash('sha512').update(content).digest('hex').toUpperCase();

const BEARER = {
  BearerToken: { type: 'apiKey', description: 'Bearer Token authentication', name: 'authorization', in: 'header' },
};
const SECURITY = { securitySchemes: BEARER };

function swagger(
  root: string,
  gvks: ReadonlyMap<string, GroupVersionKind>,
  versions: Map<string, Resource[]>,
): JsonObject {
  const schemas = new Schemas(root, '#/definitions/', gvksIn(gvks, resources));
  const kinds = [...versions].flatMap(([apiVersion, members]) => kindsOf(apiVersion, members));
  for (const kind of ['APIGroup', 'APIVersions']) kinds.push(schemaFor('v1', kind) as MessageSchema);
  const discovery = [...versions.values()].flatMap(([first]) =>
    first === undefined
      ? []
      : [discoveryPath(first.group, first.version, true), discoveryPath(first.group, undefined, true)],
  );
  return {
    swagger: '2.0',
    info: INFO,
    paths: sorted(Object.assign({}, ...discovery, ...resources.map((resource) => pathsOf(resource, true)))),
    definitions: schemas.closure(kinds),
    securityDefinitions: BEARER,
    security: [{ BearerToken: [] }],
  };
}

const sorted = (paths: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1)));

function byVersion(): Map<string, Resource[]> {
  const versions = new Map<string, Resource[]>();
  for (const resource of resources) {
    const apiVersion = formatApiVersion(resource);
    versions.set(apiVersion, [...(versions.get(apiVersion) ?? []), resource]);
  }
  return versions;
}

/** The kinds that a version's document is about: of resources, of their lists and their subresources, and of options. */
function kindsOf(apiVersion: string, members: readonly Resource[]): MessageSchema[] {
  const kinds = new Map<string, MessageSchema>();
  const add = (version: string, kind: string): void => {
    const schema = schemaFor(version, kind);
    if (schema !== undefined) kinds.set(schema.name, schema);
  };
  for (const resource of members) {
    add(apiVersion, resource.kind);
    add(apiVersion, resource.listKind ?? `${resource.kind}List`);
    for (const { kind, group = resource.group, version = resource.version } of resource.subresources ?? []) {
      // The options of a connection are query parameters.
      if (!kind.endsWith('Options')) add(formatApiVersion({ group, version }), kind);
    }
  }
  for (const kind of META_KINDS) add('v1', kind);
  return [...kinds.values()];
}

/** Which kind of the API a message is. */
function gvkIndex(): Map<string, GroupVersionKind> {
  const index = new Map<string, GroupVersionKind>();
  const groups = new Map(resources.map(({ group, version }) => [`${group.split('.')[0] || 'core'}.${version}`, group]));
  for (const message of allMessages()) {
    const [first = '', version = '', kind = ''] = message.name.split('.');
    const group = first === 'meta' ? '' : groups.get(`${first}.${version}`);
    if (group === undefined || (!message.hasTypeMeta && message.name !== 'meta.v1.WatchEvent')) continue;
    index.set(message.name, { group, kind, version });
  }
  return index;
}

/** What a document about `members` says of a message. */
function gvksIn(index: ReadonlyMap<string, GroupVersionKind>, members: readonly Resource[]) {
  const versions = new Map(
    members.map(({ group, version }) => [formatApiVersion({ group, version }), { group, version }]),
  );
  versions.delete('v1');
  return ({ name }: MessageSchema): GroupVersionKind[] => {
    const gvk = index.get(name);
    if (gvk === undefined) return [];
    if (!name.startsWith('meta.v1.') || !IN_EVERY_GROUP.has(gvk.kind)) return [gvk];
    return [gvk, ...[...versions.values()].map(({ group, version }) => ({ group, kind: gvk.kind, version }))];
  };
}
