/** What OpenAPI documents say of custom resources, by the names of Kubernetes' conformance tests. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../src/apimachinery/meta.ts';
import type { CustomResourceDefinition } from '../../../src/generated/types/apiextensions.v1.ts';
import { client, type Send } from '../../support/https.ts';
import { decodeSwagger } from '../../support/swagger-decoder.ts';
import { Cluster, refusal } from './cluster.ts';

const WITHIN = { interval: 200 };
const PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
const UNKNOWN = { 'x-kubernetes-preserve-unknown-fields': true };

let cluster: Cluster;
let send: Send;
beforeAll(async () => {
  cluster = await Cluster.start();
  send = client(cluster.plane);
});
afterAll(() => cluster?.stop());

/** Objects, lists, numbers and what OpenAPI v2 does not know. */
const FOO = {
  description: 'Foo CRD for Testing',
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      description: 'Specification of Foo',
      properties: {
        bars: {
          description: 'List of Bars and their specs.',
          type: 'array',
          items: {
            type: 'object',
            required: ['name'],
            properties: {
              name: { description: 'Name of Bar.', type: 'string', pattern: '^[a-z-]+$', maxLength: 20 },
              age: { description: 'Age of Bar.', type: 'string', nullable: true },
              weight: { type: 'number', minimum: 0.5, anyOf: [{ maximum: 3 }, { minimum: 4 }] },
            },
          },
        },
      },
    },
  },
};

let groups = 0;
const newGroup = (): string => `crd-publish-${++groups}.example.com`;

interface Version {
  name: string;
  schema?: object;
  served?: boolean;
}

/** Defines a resource, each version with its schema; the first one is stored. */
async function define(group: string, kind: string, versions: Version[]) {
  const plural = `${kind.toLowerCase()}s`;
  const definitions = cluster.of<CustomResourceDefinition>('apiextensions.k8s.io/v1', 'customresourcedefinitions');
  const made = ({ name, schema = FOO, served = true }: Version, index: number): object => ({
    name,
    served,
    storage: index === 0,
    schema: { openAPIV3Schema: schema },
  });
  await definitions.create({
    metadata: { name: `${plural}.${group}` },
    spec: { group, scope: 'Namespaced', names: { plural, kind }, versions: versions.map(made) },
  });
  const of = (version: string) => cluster.existing('default').of<KubeObject>(`${group}/${version}`, plural);
  const change = (next: Version[]) => definitions.patch(`${plural}.${group}`, { spec: { versions: next.map(made) } });
  return { of, change };
}

interface Definition {
  properties?: Record<string, unknown>;
}

const nameOf = (group: string, version: string, kind: string): string =>
  `${group.split('.').reverse().join('.')}.${version}.${kind}`;

/** What the v2 document says of a kind; undefined where it says nothing. */
async function published(group: string, version: string, kind: string): Promise<Definition | undefined> {
  const { definitions } = await cluster.api.json<{ definitions: Record<string, Definition> }>('/openapi/v2');
  return definitions[nameOf(group, version, kind)];
}
const publishes = (group: string, version: string, kind: string) =>
  expect.poll(() => published(group, version, kind), WITHIN);

const object = (group: string, version: string, kind: string, fields: object): object => ({
  apiVersion: `${group}/${version}`,
  kind,
  metadata: { name: 'a' },
  ...fields,
});
const strict = { fieldValidation: 'Strict' };

describe('[sig-api-machinery] CustomResourcePublishOpenAPI', () => {
  it('works for CRD with validation schema', async () => {
    const group = newGroup();
    const { of } = await define(group, 'Foo', [{ name: 'v1' }]);
    await publishes(group, 'v1', 'Foo').toEqual({
      description: 'Foo CRD for Testing',
      type: 'object',
      properties: {
        apiVersion: expect.objectContaining({ type: 'string' }),
        kind: expect.objectContaining({ type: 'string' }),
        metadata: {
          description: "Standard object's metadata.",
          $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
        },
        spec: {
          type: 'object',
          description: 'Specification of Foo',
          properties: {
            bars: {
              description: 'List of Bars and their specs.',
              type: 'array',
              items: {
                type: 'object',
                required: ['name'],
                properties: {
                  name: { description: 'Name of Bar.', type: 'string', pattern: '^[a-z-]+$', maxLength: 20 },
                  age: { description: 'Age of Bar.' },
                  weight: { type: 'number', minimum: 0.5 },
                },
              },
            },
          },
        },
      },
      'x-kubernetes-group-version-kind': [{ group, kind: 'Foo', version: 'v1' }],
    });
    const both = ['application/json', PROTOBUF].map((accept) => send({ path: '/openapi/v2', headers: { accept } }));
    const [json, protobuf] = await Promise.all(both);
    expect(decodeSwagger(protobuf?.bytes as Uint8Array)).toEqual(json?.body);
    const foos = of('v1');
    await foos.create(object(group, 'v1', 'Foo', { spec: { bars: [{ name: 'b' }] } }), strict);
    const unknown = foos.create(object(group, 'v1', 'Foo', { spec: { foo: true } }), strict);
    expect((await refusal(unknown)).message).toContain('unknown field "spec.foo"');
    const nameless = foos.create(object(group, 'v1', 'Foo', { spec: { bars: [{ age: '10' }] } }), strict);
    expect((await refusal(nameless)).message).toContain('spec.bars[0].name: Required value');
  });

  it('works for CRD without validation schema', async () => {
    const group = newGroup();
    const { of } = await define(group, 'Empty', [{ name: 'v1', schema: { type: 'object', ...UNKNOWN } }]);
    await publishes(group, 'v1', 'Empty').toMatchObject({ type: 'object' });
    const made = await of('v1').create(object(group, 'v1', 'Empty', { a: { b: [{ c: 'd' }] } }), strict);
    expect(made).toMatchObject({ a: { b: [{ c: 'd' }] } });
  });

  it('works for CRD preserving unknown fields at the schema root', async () => {
    const group = newGroup();
    const schema = { type: 'object', description: 'at root', properties: { spec: { type: 'object' } }, ...UNKNOWN };
    const { of } = await define(group, 'Root', [{ name: 'v1', schema }]);
    await publishes(group, 'v1', 'Root').toEqual({
      type: 'object',
      'x-kubernetes-group-version-kind': [{ group, kind: 'Root', version: 'v1' }],
    });
    expect(await of('v1').create(object(group, 'v1', 'Root', { a: 1 }), strict)).toMatchObject({ a: 1 });
  });

  it('works for CRD preserving unknown fields in an embedded object', async () => {
    const group = newGroup();
    const spec = {
      type: 'object',
      description: 'nested',
      properties: { b: { type: 'array', items: { type: 'object', ...UNKNOWN } } },
      ...UNKNOWN,
    };
    const { of } = await define(group, 'Nested', [{ name: 'v1', schema: { type: 'object', properties: { spec } } }]);
    await publishes(group, 'v1', 'Nested').toMatchObject({
      properties: { spec: { description: 'nested', ...UNKNOWN } },
    });
    expect((await published(group, 'v1', 'Nested'))?.properties?.['spec']).not.toHaveProperty('properties');
    const fields = { spec: { a: null, b: [{ c: 'd' }] } };
    expect(await of('v1').create(object(group, 'v1', 'Nested', fields), strict)).toMatchObject({
      spec: { b: [{ c: 'd' }] },
    });
  });

  it('works for multiple CRDs of different groups', async () => {
    const [one, other] = [newGroup(), newGroup()];
    await define(one, 'Foo', [{ name: 'v1' }]);
    await define(other, 'Waldo', [{ name: 'v1beta1' }]);
    await publishes(one, 'v1', 'Foo').toBeDefined();
    await publishes(other, 'v1beta1', 'Waldo').toBeDefined();
  });

  it('works for multiple CRDs of same group but different versions', async () => {
    const group = newGroup();
    await define(group, 'Foo', [{ name: 'v2' }, { name: 'v3' }]);
    await define(group, 'Waldo', [{ name: 'v4' }]);
    for (const [version, kind] of [
      ['v2', 'Foo'],
      ['v3', 'Foo'],
      ['v4', 'Waldo'],
    ] as const) {
      await publishes(group, version, kind).toBeDefined();
    }
  });

  it('works for multiple CRDs of same group and version but different kinds', async () => {
    const group = newGroup();
    await define(group, 'Foo', [{ name: 'v6' }]);
    await define(group, 'Waldo', [{ name: 'v6' }]);
    await publishes(group, 'v6', 'Foo').toBeDefined();
    await publishes(group, 'v6', 'Waldo').toBeDefined();
    const { components } = await cluster.api.json<{ components: { schemas: object } }>(`/openapi/v3/apis/${group}/v6`);
    expect(Object.keys(components.schemas)).toEqual(
      expect.arrayContaining([nameOf(group, 'v6', 'Foo'), nameOf(group, 'v6', 'Waldo')]),
    );
  });

  it('updates the published spec when one version gets renamed', async () => {
    const group = newGroup();
    const { change } = await define(group, 'Foo', [{ name: 'v2' }, { name: 'v3' }]);
    await publishes(group, 'v3', 'Foo').toBeDefined();
    await change([{ name: 'v2' }, { name: 'v4' }]);
    await publishes(group, 'v4', 'Foo').toBeDefined();
    expect(await published(group, 'v3', 'Foo')).toBeUndefined();
    expect(await published(group, 'v2', 'Foo')).toBeDefined();
  });

  it('removes definition from spec when one version gets changed to not be served', async () => {
    const group = newGroup();
    const { change } = await define(group, 'Foo', [{ name: 'v5' }, { name: 'v6alpha1' }]);
    await publishes(group, 'v6alpha1', 'Foo').toBeDefined();
    await change([{ name: 'v5' }, { name: 'v6alpha1', served: false }]);
    await publishes(group, 'v6alpha1', 'Foo').toBeUndefined();
    expect(await published(group, 'v5', 'Foo')).toBeDefined();
  });
});
