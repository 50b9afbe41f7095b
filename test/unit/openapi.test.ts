/** The OpenAPI documents that are generated. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { generateOpenApi } from '../../scripts/generate/openapi.ts';
import { resources } from '../../src/resources/index.ts';
import { decodeSwagger } from '../support/swagger-decoder.ts';

interface Schema {
  [key: string]: unknown;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema | boolean;
}
interface Parameter {
  name: string;
  in: string;
}
interface Operation {
  operationId: string;
  parameters?: Parameter[];
  requestBody?: { content: Record<string, unknown> };
  responses: Record<string, { content?: Record<string, unknown> }>;
  'x-kubernetes-action'?: string;
  'x-kubernetes-group-version-kind'?: Gvk;
}
interface Gvk {
  group: string;
  version: string;
  kind: string;
}
type PathItem = Record<string, Operation> & { parameters?: Parameter[] };
interface Document {
  paths: Record<string, PathItem>;
  components: { schemas: Record<string, Schema> };
}

let files: Map<string, string | Uint8Array>;
/** Those of them that are JSON. */
let texts: Map<string, string>;
beforeAll(async () => {
  files = await generateOpenApi('.');
  texts = new Map([...files].filter((file): file is [string, string] => typeof file[1] === 'string'));
});

const read = <T>(name: string): T => JSON.parse(texts.get(name) ?? 'null') as T;
const document = (path: string): Document => read<Document>(`v3/${path}.json`);
const names = (parameters: readonly Parameter[] | undefined): string[] =>
  (parameters ?? []).map(({ name }) => name).sort();

describe('the index', () => {
  it('lists a document for each version, with its hash', () => {
    const { paths } = read<{ paths: Record<string, { serverRelativeURL: string }> }>('v3/index.json');
    for (const { group, version } of resources) {
      const path = group === '' ? `api/${version}` : `apis/${group}/${version}`;
      expect(paths[path]?.serverRelativeURL).toMatch(new RegExp(`^/openapi/v3/${path}\\?hash=[0-9A-F]{128}$`));
      expect(files.has(`v3/${path}.json`)).toBe(true);
    }
  });
});

it('every document has a hash, which is its ETag', () => {
  const etags = read<Record<string, string>>('etags.json');
  expect(Object.keys(etags).sort()).toEqual([...files.keys()].filter((name) => name !== 'etags.json').sort());
  expect(etags['v2.pb']).toMatch(/^[0-9A-F]{128}$/);
});

describe('paths', () => {
  it('every PATCH says that it takes fieldValidation', () => {
    for (const [name, text] of texts) {
      if (!name.startsWith('v3/api') || name === 'v3/index.json') continue;
      for (const [path, item] of Object.entries((JSON.parse(text) as Document).paths)) {
        if (item['patch'] === undefined || item['patch']['x-kubernetes-action'] !== 'patch') continue;
        expect([...names(item['patch'].parameters), ...names(item.parameters)], path).toEqual(
          expect.arrayContaining(['dryRun', 'fieldManager', 'fieldValidation', 'force']),
        );
      }
    }
  });

  it('operations have ids of their own', () => {
    const ids = [...texts].flatMap(([name, text]) =>
      name.startsWith('v3/api')
        ? Object.values((JSON.parse(text) as Document).paths).flatMap((item) =>
            operations(item).map(([, { operationId }]) => operationId),
          )
        : [],
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(600);
  });

  it('every reference leads somewhere', () => {
    for (const [name, text] of texts) {
      if (!/^v[23]/.test(name) || name === 'v3/index.json') continue;
      const { components, definitions } = JSON.parse(text) as {
        components?: { schemas: object };
        definitions?: object;
      };
      const known = new Set(Object.keys(components?.schemas ?? definitions ?? {}));
      const missing = [...text.matchAll(/"\$ref":"#\/(?:components\/schemas|definitions)\/([^"]+)"/g)]
        .map(([, ref = '']) => ref)
        .filter((ref) => !known.has(ref));
      expect(missing, name).toEqual([]);
    }
  });
});

describe('v2', () => {
  it('is one document with every kind', () => {
    const v2 = read<{ swagger: string; definitions: Record<string, Schema>; paths: Record<string, PathItem> }>(
      'v2.json',
    );
    expect(v2.swagger).toBe('2.0');
    expect(v2.definitions['io.k8s.api.core.v1.Pod']?.['x-kubernetes-group-version-kind']).toEqual([
      { group: '', kind: 'Pod', version: 'v1' },
    ]);
    expect(v2.definitions['io.k8s.apimachinery.pkg.util.intstr.IntOrString']).toEqual({
      type: 'string',
      format: 'int-or-string',
    });
    expect(
      v2.definitions['io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions']?.['x-kubernetes-group-version-kind'],
    ).toHaveLength(new Set(resources.map(({ group, version }) => `${group}/${version}`)).size);
    const patch = v2.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']?.['patch'];
    expect(names(patch?.parameters)).toContain('fieldValidation');
  });

  it('is the same as protobuf', () => {
    expect(decodeSwagger(files.get('v2.pb') as Uint8Array)).toEqual(read('v2.json'));
  });

  it('as protobuf begins as every document of Swagger 2 does', () => {
    const start = Buffer.from('\n\x032.0\x12\x15\n\nKubernetes\x12\x07v1.36.0B');
    expect(Buffer.from(files.get('v2.pb') as Uint8Array).subarray(0, start.length)).toEqual(start);
  });
});

it('schemas say in words what they are', () => {
  const pod = document('api/v1').components.schemas['io.k8s.api.core.v1.Pod'];
  expect(String(pod?.['description'])).toMatch(/^Pod is a collection of containers/);
});

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'];
const operations = (item: PathItem): [string, Operation][] =>
  METHODS.flatMap((method) => (item[method] === undefined ? [] : [[method, item[method]] as [string, Operation]]));

const RECORDINGS = join(process.env['ZEROPLANE_RECORDINGS'] ?? '../shared/fixtures/recorded', 'openapi-v3');
interface RecordedOperation {
  id: string;
  action?: string;
  gvk?: Gvk;
  params?: string[];
  consumes?: string[];
  produces?: string[];
}
interface Recording {
  paths: Record<string, Record<string, RecordedOperation> & { parameters?: string[] }>;
  schemas: Record<string, Schema>;
}

/** What clients compute with. */
const FACTS = [
  'type',
  'format',
  'required',
  'enum',
  'default',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'x-kubernetes-patch-strategy',
  'x-kubernetes-patch-merge-key',
  'x-kubernetes-group-version-kind',
  '$ref',
  'allOf',
  'oneOf',
];

function facts(schema: Schema, path: string, found: Map<string, unknown>): Map<string, unknown> {
  for (const fact of FACTS) {
    const value = schema[fact];
    // Whether a struct is a pointer is of no consequence to clients.
    if (value === undefined || (fact === 'default' && typeof value === 'object')) continue;
    // A reference is wrapped where it has words beside it.
    if (fact === 'allOf' || fact === '$ref') found.set(`${path} ref`, refOf(schema));
    else found.set(`${path} ${fact}`, fact === 'required' || fact === 'enum' ? [...(value as string[])].sort() : value);
  }
  for (const [name, property] of Object.entries(schema.properties ?? {})) facts(property, `${path}.${name}`, found);
  if (schema.items !== undefined) facts(schema.items, `${path}[]`, found);
  if (typeof schema.additionalProperties === 'object') facts(schema.additionalProperties, `${path}{}`, found);
  return found;
}

const refOf = ({ allOf, $ref }: Schema): unknown => $ref ?? (allOf as { $ref: string }[])[0]?.$ref;

describe.skipIf(!existsSync(RECORDINGS))('as a real server has it', () => {
  const recorded = existsSync(RECORDINGS) ? readdirSync(RECORDINGS) : [];
  it.each(recorded)('%s', (file) => {
    const wanted = JSON.parse(readFileSync(join(RECORDINGS, file), 'utf8')) as Recording;
    const { paths, components } = document(file.replace('.json', '').replaceAll('_', '/'));
    for (const [name, schema] of Object.entries(wanted.schemas)) {
      const ours = components.schemas[name];
      expect(ours, name).toBeDefined();
      expect(Object.fromEntries(facts(ours as Schema, '', new Map())), name).toEqual(
        Object.fromEntries(facts(schema, '', new Map())),
      );
    }
    for (const [path, item] of Object.entries(wanted.paths)) {
      if (path.includes('/watch/')) continue;
      const ours = paths[path] as PathItem;
      expect(ours, path).toBeDefined();
      const shared = [...new Set(item.parameters ?? [])].sort();
      expect([...new Set(names(ours.parameters))], path).toEqual(shared);
      for (const method of METHODS)
        expect(summary(ours[method]), `${method} ${path}`).toEqual(recordedSummary(item[method]));
    }
  });
});

function summary(operation: Operation | undefined): unknown {
  if (operation === undefined) return undefined;
  return {
    id: operation.operationId,
    action: operation['x-kubernetes-action'],
    gvk: operation['x-kubernetes-group-version-kind'],
    params: names(operation.parameters),
    consumes: Object.keys(operation.requestBody?.content ?? {}).sort(),
    produces: Object.keys(operation.responses['200']?.content ?? {}).sort(),
  };
}

function recordedSummary(operation: RecordedOperation | undefined): unknown {
  if (operation === undefined) return undefined;
  const { id, action, gvk, params = [], consumes = [], produces = [] } = operation;
  return {
    id,
    action,
    gvk,
    params: [...params].sort(),
    consumes: [...consumes].sort(),
    produces: [...produces].sort(),
  };
}
