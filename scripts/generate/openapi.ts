/** OpenAPI v3, a document for each group and version, and v2, one for all. */
import { createHash } from 'node:crypto';
import type { JsonObject } from '../../src/apimachinery/meta.ts';
import { formatApiVersion } from '../../src/apimachinery/meta.ts';
import { allMessages, type MessageSchema, schemaFor } from '../../src/apimachinery/schema/index.ts';
import { resources } from '../../src/resources/index.ts';
import type { Resource } from '../../src/resources/resource.ts';
import { pathsOf } from './paths.ts';
import { type Gvk, Schemas } from './schemas.ts';

const INFO = { title: 'Kubernetes', version: 'v1.36.0' };
const META_OPTIONS = ['DeleteOptions', 'Status'];

/** Texts by file name below `openapi/`. */
export async function generateOpenApi(root: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const gvks = gvkIndex();
  const schemas = new Schemas(root, '#/components/schemas/', (message) => gvks.get(message.name) ?? []);
  const index: JsonObject = {};
  for (const [apiVersion, members] of byVersion()) {
    const path = apiVersion.includes('/') ? `apis/${apiVersion}` : `api/${apiVersion}`;
    const document = {
      openapi: '3.0.0',
      info: INFO,
      paths: Object.assign({}, ...members.map((resource) => pathsOf(resource, false))) as JsonObject,
      components: { schemas: schemas.closure(kindsOf(apiVersion, members)) },
    };
    const text = JSON.stringify(document);
    files.set(`v3/${path}.json`, text);
    const hash = createHash('sha512').update(text).digest('hex').toUpperCase();
    index[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` };
  }
  files.set('v3/index.json', JSON.stringify({ paths: index }));
  files.set('v2.json', JSON.stringify(swagger(root, gvks)));
  return files;
}

function swagger(root: string, gvks: ReadonlyMap<string, Gvk[]>): JsonObject {
  const schemas = new Schemas(root, '#/definitions/', (message) => gvks.get(message.name) ?? []);
  const kinds = [...byVersion()].flatMap(([apiVersion, members]) => kindsOf(apiVersion, members));
  return {
    swagger: '2.0',
    info: INFO,
    paths: Object.assign({}, ...resources.map((resource) => pathsOf(resource, true))) as JsonObject,
    definitions: schemas.closure(kinds),
  };
}

function byVersion(): Map<string, Resource[]> {
  const versions = new Map<string, Resource[]>();
  for (const resource of resources) {
    const apiVersion = formatApiVersion(resource);
    versions.set(apiVersion, [...(versions.get(apiVersion) ?? []), resource]);
  }
  return versions;
}

/** The kinds that a version's documents are about: of resources, of their lists and their subresources, and of options. */
function kindsOf(apiVersion: string, members: readonly Resource[]): MessageSchema[] {
  const kinds = new Map<string, MessageSchema>();
  const add = (version: string, kind: string): void => {
    const schema = schemaFor(version, kind);
    if (schema !== undefined) kinds.set(schema.name, schema);
  };
  for (const resource of members) {
    add(apiVersion, resource.kind);
    add(apiVersion, resource.listKind ?? `${resource.kind}List`);
    for (const { kind, group, version } of resource.subresources ?? []) {
      add(group === undefined ? apiVersion : formatApiVersion({ group, version: version ?? 'v1' }), kind);
    }
  }
  for (const kind of META_OPTIONS) add('v1', kind);
  return [...kinds.values()];
}

/** Which kinds of the API a message is. */
function gvkIndex(): Map<string, Gvk[]> {
  const index = new Map<string, Gvk[]>();
  const groups = new Map(resources.map(({ group, version }) => [`${group.split('.')[0] || 'core'}.${version}`, group]));
  for (const message of allMessages()) {
    if (!message.hasTypeMeta) continue;
    const [first = '', version = '', kind = ''] = message.name.split('.');
    const group = groups.get(`${first}.${version}`);
    if (group !== undefined) index.set(message.name, [{ group, version, kind }]);
  }
  index.set('meta.v1.Status', [{ group: '', version: 'v1', kind: 'Status' }]);
  const everywhere = [...byVersion().values()].map(([{ group = '', version = '' } = {} as Resource]) => ({ group, version, kind: 'DeleteOptions' }));
  index.set('meta.v1.DeleteOptions', everywhere);
  return index;
}
