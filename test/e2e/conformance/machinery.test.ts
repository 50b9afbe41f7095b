/** Watches, chunks, tables, discovery, field validation and custom resources, by the names of Kubernetes' conformance tests. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../src/apimachinery/meta.ts';
import type { CustomResourceDefinition } from '../../../src/generated/types/apiextensions.v1.ts';
import type { Deployment } from '../../../src/generated/types/apps.v1.ts';
import type { ConfigMap, PodTemplate } from '../../../src/generated/types/core.v1.ts';
import { eventually } from '../support.ts';
import { Cluster, refusal } from './cluster.ts';
import { podSpec, workload } from './objects.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(() => cluster?.stop());

const mapsOf = async () => (await cluster.namespace()).of<ConfigMap>('v1', 'configmaps');

describe.concurrent('[sig-api-machinery] Watchers', () => {
  const labelled = (name: string, label: string): object => ({ metadata: { name, labels: { watch: label } } });

  it('should observe add, update, and delete watch notifications on configmaps', async () => {
    const maps = await mapsOf();
    const { metadata } = await maps.list();
    await maps.create(labelled('a', 'A'));
    await maps.create(labelled('b', 'B'));
    await maps.patch('a', { data: { mutation: '1' } });
    await maps.delete('a');
    await maps.delete('b');
    const seen = async (labelSelector: string, count: number): Promise<string[]> => {
      const query = { resourceVersion: metadata.resourceVersion, labelSelector };
      const events = await maps.watch(query, (all) => all.length === count);
      return events.map(({ type, object }) => `${type} ${object.metadata.name}`);
    };
    expect(await seen('watch=A', 3)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
    expect(await seen('watch=B', 2)).toEqual(['ADDED b', 'DELETED b']);
    expect(await seen('watch in (A,B)', 5)).toEqual(['ADDED a', 'ADDED b', 'MODIFIED a', 'DELETED a', 'DELETED b']);
  });

  it('should be able to start watching from a specific resource version', async () => {
    const maps = await mapsOf();
    await maps.create(labelled('a', 'A'));
    const first = await maps.patch('a', { data: { mutation: '1' } });
    await maps.patch('a', { data: { mutation: '2' } });
    await maps.delete('a');
    const query = { resourceVersion: first.metadata.resourceVersion, fieldSelector: 'metadata.name=a' };
    const events = await maps.watch(query, (all) => all.length === 2);
    expect(events.map(({ type, object }) => [type, object.data?.['mutation']])).toEqual([
      ['MODIFIED', '2'],
      ['DELETED', '2'],
    ]);
  });

  it('should be able to restart watching from the last resource version observed by the previous watch', async () => {
    const maps = await mapsOf();
    const { metadata } = await maps.list();
    await maps.create(labelled('a', 'A'));
    await maps.patch('a', { data: { mutation: '1' } });
    const before = await maps.watch(
      { resourceVersion: metadata.resourceVersion, labelSelector: 'watch=A' },
      (all) => all.length === 2,
    );
    await maps.patch('a', { data: { mutation: '2' } });
    await maps.delete('a');
    const { resourceVersion } = before.at(-1)?.object.metadata ?? {};
    const after = await maps.watch({ resourceVersion, labelSelector: 'watch=A' }, (all) => all.length === 2);
    expect(after.map(({ type }) => type)).toEqual(['MODIFIED', 'DELETED']);
  });

  it('should observe an object deletion if it stops meeting the requirements of the selector', async () => {
    const maps = await mapsOf();
    const { metadata } = await maps.list();
    await maps.create(labelled('a', 'A'));
    await maps.patch('a', { data: { mutation: '1' } });
    await maps.patch('a', { metadata: { labels: { watch: 'wrong' } } });
    await maps.patch('a', { data: { mutation: '2' } });
    await maps.patch('a', { metadata: { labels: { watch: 'A' } } });
    await maps.patch('a', { data: { mutation: '3' } });
    await maps.delete('a');
    const query = { resourceVersion: metadata.resourceVersion, labelSelector: 'watch=A' };
    const events = await maps.watch(query, (all) => all.length === 6);
    expect(events.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'DELETED', 'ADDED', 'MODIFIED', 'DELETED']);
  });

  it('should receive events on concurrent watches in same order', async () => {
    const maps = await mapsOf();
    const { metadata } = await maps.list();
    const writers = ['a', 'b', 'c', 'd'].map(async (name) => {
      await maps.create(labelled(name, 'A'));
      for (let i = 0; i < 5; i++) await maps.patch(name, { data: { i: String(i) } });
      await maps.delete(name);
    });
    const query = { resourceVersion: metadata.resourceVersion, labelSelector: 'watch=A' };
    const watches = Array.from({ length: 5 }, () => maps.watch(query, (all) => all.length === 28));
    await Promise.all(writers);
    const orders = (await Promise.all(watches)).map((events) =>
      events.map(({ object }) => object.metadata.resourceVersion),
    );
    for (const order of orders) expect(order).toEqual(orders[0]);
  });
});

describe.concurrent('[sig-api-machinery] Servers with support for API chunking', () => {
  it('should return chunks of results for list calls', async () => {
    const templates = (await cluster.namespace()).of<PodTemplate>('v1', 'podtemplates');
    const COUNT = 40;
    const name = (i: number): string => `template-${String(i).padStart(4, '0')}`;
    const make = (i: number) => templates.create({ metadata: { name: name(i) }, template: { spec: podSpec() } });
    await Promise.all(Array.from({ length: COUNT }, (_, i) => make(i)));
    const LIMIT = 17;
    const found: string[] = [];
    let next: string | undefined;
    let version: string | undefined;
    do {
      const { items, metadata } = await templates.list({ limit: LIMIT, continue: next });
      version ??= metadata.resourceVersion;
      expect(metadata.resourceVersion).toBe(version);
      found.push(...items.map((item) => item.metadata.name));
      next = metadata.continue;
      expect(metadata.remainingItemCount ?? 0).toBe(COUNT - found.length);
    } while (next);
    expect(found).toEqual(Array.from({ length: COUNT }, (_, i) => name(i)));
    const whole = await templates.list();
    expect(whole.items).toHaveLength(COUNT);
  });
});

describe.concurrent('[sig-api-machinery] Servers with support for Table transformation', () => {
  it('should return a 406 for a backend which does not implement metadata', async () => {
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview' };
    const body = { ...review, spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } };
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const refused = await refusal(cluster.api.text(path, { method: 'POST', body, accept }));
    expect(refused).toMatchObject({ code: 406, reason: 'NotAcceptable' });
  });
});

describe.concurrent('[sig-api-machinery] server version', () => {
  it('should find the server version', async () => {
    const version = await cluster.api.json<{ major: string; minor: string }>('/version');
    expect(version).toMatchObject({ major: '1', minor: '36' });
  });
});

interface Group {
  name: string;
  preferredVersion: { groupVersion: string; version: string };
  versions: { groupVersion: string; version: string }[];
}

interface Aggregated {
  kind: string;
  items: { metadata: { name?: string }; versions: { version: string; resources: { resource: string }[] }[] }[];
}

const aggregated = (path: string): Promise<Aggregated> =>
  cluster.api.json(path, { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' });

describe.concurrent('[sig-api-machinery] Discovery', () => {
  it('should validate PreferredVersion for each APIGroup', async () => {
    const { groups } = await cluster.api.json<{ groups: Group[] }>('/apis');
    expect(groups.length).toBeGreaterThan(20);
    for (const { name } of groups) {
      const { preferredVersion, versions } = await cluster.api.json<Group>(`/apis/${name}`);
      expect(versions).toContainEqual(preferredVersion);
    }
  });

  it('should locate the groupVersion and a resource within each APIGroup', async () => {
    for (const [groupVersion, name] of [
      ['admissionregistration.k8s.io/v1', 'validatingwebhookconfigurations'],
      ['apiextensions.k8s.io/v1', 'customresourcedefinitions'],
      ['apiregistration.k8s.io/v1', 'apiservices'],
      ['apps/v1', 'deployments'],
      ['authentication.k8s.io/v1', 'tokenreviews'],
      ['authorization.k8s.io/v1', 'selfsubjectaccessreviews'],
      ['autoscaling/v1', 'horizontalpodautoscalers'],
      ['autoscaling/v2', 'horizontalpodautoscalers'],
      ['batch/v1', 'jobs'],
      ['certificates.k8s.io/v1', 'certificatesigningrequests'],
      ['coordination.k8s.io/v1', 'leases'],
      ['discovery.k8s.io/v1', 'endpointslices'],
      ['events.k8s.io/v1', 'events'],
      ['networking.k8s.io/v1', 'ingresses'],
      ['node.k8s.io/v1', 'runtimeclasses'],
      ['policy/v1', 'poddisruptionbudgets'],
      ['scheduling.k8s.io/v1', 'priorityclasses'],
      ['storage.k8s.io/v1', 'csinodes'],
    ] as const) {
      const { resources } = await cluster.api.json<{ resources: { name: string }[] }>(`/apis/${groupVersion}`);
      expect(resources.map((resource) => resource.name)).toContain(name);
    }
  });
});

/** A CRD of its own for a test; `schema` of its objects, or nothing is known of them. */
async function define(schema?: object, more: object = {}): Promise<{ group: string; name: string; kind: string }> {
  const group = `g${Math.random().toString(36).slice(2)}.example.com`;
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const version = { name: 'v1', served: true, storage: true, subresources: { status: {} } };
  const versions = [{ ...version, schema: { openAPIV3Schema: schema ?? open }, ...more }];
  const names = { plural: 'foos', singular: 'foo', kind: 'Foo', listKind: 'FooList' };
  const name = `foos.${group}`;
  await crds().create({ metadata: { name, labels: { group } }, spec: { group, scope: 'Namespaced', names, versions } });
  await crds().until(
    name,
    ({ status }) => status?.conditions?.some((one) => one.type === 'Established' && one.status === 'True') ?? false,
  );
  // Whoever asks is told by a snapshot that is a second old at most.
  const isServed = () =>
    cluster.api.json(`/apis/${group}/v1`).then(
      () => true,
      () => false,
    );
  await eventually(`${group} is served`, isServed);
  return { group, name, kind: 'Foo' };
}

const crds = () => cluster.of<CustomResourceDefinition>('apiextensions.k8s.io/v1', 'customresourcedefinitions');

describe.concurrent('[sig-api-machinery] AggregatedDiscovery', () => {
  it('should support raw aggregated discovery endpoint Accept headers', async () => {
    for (const path of ['/api', '/apis']) expect((await aggregated(path)).kind).toBe('APIGroupDiscoveryList');
    expect(await cluster.api.json('/apis')).toMatchObject({ kind: 'APIGroupList' });
  });

  it('should support aggregated discovery interface', async () => {
    const { items } = await aggregated('/apis');
    for (const [group, version, resource] of [
      ['apps', 'v1', 'deployments'],
      ['batch', 'v1', 'cronjobs'],
      ['rbac.authorization.k8s.io', 'v1', 'clusterroles'],
    ]) {
      const found = items
        .find(({ metadata }) => metadata.name === group)
        ?.versions.find((one) => one.version === version);
      expect(found?.resources.map((one) => one.resource)).toContain(resource);
    }
    const [core] = (await aggregated('/api')).items;
    expect(core?.versions[0]?.resources.map(({ resource }) => resource)).toContain('pods');
  });

  it('should support aggregated discovery interface for CRDs', async () => {
    const { group } = await define();
    const found = (await aggregated('/apis')).items.find(({ metadata }) => metadata.name === group);
    const resource = { resource: 'foos', responseKind: { kind: 'Foo' }, scope: 'Namespaced', singularResource: 'foo' };
    expect(found?.versions).toMatchObject([{ version: 'v1', resources: [resource] }]);
  });

  it('should support raw aggregated discovery request for CRDs', async () => {
    const { group, name } = await define();
    const found = async () => (await aggregated('/apis')).items.find(({ metadata }) => metadata.name === group);
    expect((await found())?.versions[0]?.resources.map(({ resource }) => resource)).toEqual(['foos']);
    await crds().delete(name);
    await eventually(`${group} is gone`, async () => (await found()) === undefined);
  });
});

const described = (schema: object): object => ({ type: 'object', properties: { spec: schema } });

describe.concurrent('[sig-api-machinery] CustomResourceDefinition resources', () => {
  it('should include custom resource definition resources in discovery documents', async () => {
    const { resources } = await cluster.api.json<{ resources: { name: string }[] }>('/apis/apiextensions.k8s.io/v1');
    const names = resources.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['customresourcedefinitions', 'customresourcedefinitions/status']));
  });

  it('custom resource defaulting for requests and from storage works', async () => {
    const a = { type: 'string', default: 'A' };
    const { group, name } = await define({ type: 'object', properties: { a } });
    const foos = (await cluster.namespace()).of<KubeObject & { a?: string; b?: string }>(`${group}/v1`, 'foos');
    const body = { apiVersion: `${group}/v1`, kind: 'Foo', metadata: { name: 'foo' } };
    expect((await foos.create(body)).a).toBe('A');
    const properties = { a, b: { type: 'string', default: 'B' } };
    const path = '/spec/versions/0/schema/openAPIV3Schema/properties';
    await crds().patch(name, [{ op: 'replace', path, value: properties }], { type: 'json' });
    await foos.until('foo', (foo) => foo.a === 'A' && foo.b === 'B');
  });

  it('Simple CustomResourceDefinition creating/deleting custom resource definition objects works', async () => {
    const { name } = await define();
    await crds().delete(name);
    await crds().untilGone(name);
  });

  it('Simple CustomResourceDefinition listing custom resource definition objects works', async () => {
    const made = [await define(), await define(), await define()];
    const labelSelector = `group in (${made.map(({ group }) => group).join(',')})`;
    expect((await crds().list({ labelSelector })).items).toHaveLength(3);
    await crds().deleteCollection({ labelSelector });
    await crds().untilList((items) => items.length === 0, { labelSelector });
  });

  it('Simple CustomResourceDefinition getting/updating/patching custom resource definition status sub-resource works', async () => {
    const { name } = await define();
    expect((await crds().get(name, 'status')).spec?.names?.kind).toBe('Foo');
    const condition = { type: 'StatusUpdate', status: 'True', reason: 'E2E', message: 'Set from a test' };
    const updated = await crds().update(name, ({ status }) => status?.conditions?.push(condition), 'status');
    expect(updated.status?.conditions).toContainEqual(expect.objectContaining(condition));
    const patch = { status: { conditions: [{ ...condition, type: 'StatusPatched' }] } };
    const patched = await crds().patch(name, patch, { subresource: 'status' });
    expect(patched.status?.conditions?.map(({ type }) => type)).toContain('StatusPatched');
  });
});

describe.concurrent('[sig-api-machinery] CustomResourceDefinition Watch', () => {
  it('CustomResourceDefinition Watch watch on custom resource definition objects', async () => {
    const { group } = await define();
    const foos = (await cluster.namespace()).of<KubeObject>(`${group}/v1`, 'foos');
    const { metadata } = await foos.list();
    for (const name of ['a', 'b']) await foos.create({ apiVersion: `${group}/v1`, kind: 'Foo', metadata: { name } });
    await foos.patch('a', { dummy: 'test' });
    await foos.delete('a');
    await foos.delete('b');
    const events = await foos.watch({ resourceVersion: metadata.resourceVersion }, (all) => all.length === 5);
    expect(events.map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual([
      'ADDED a',
      'ADDED b',
      'MODIFIED a',
      'DELETED a',
      'DELETED b',
    ]);
  });
});

describe.concurrent('[sig-api-machinery] CustomResourceFieldSelectors', () => {
  it('CustomResourceFieldSelectors MUST list and watch custom resources matching the field selector', async () => {
    const schema = { type: 'object', properties: { host: { type: 'string' }, port: { type: 'string' } } };
    const { group } = await define(schema, { selectableFields: [{ jsonPath: '.host' }, { jsonPath: '.port' }] });
    const foos = (await cluster.namespace()).of<KubeObject>(`${group}/v1`, 'foos');
    const { metadata } = await foos.list();
    const make = (name: string, host: string, port: string) =>
      foos.create({ apiVersion: `${group}/v1`, kind: 'Foo', metadata: { name }, host, port });
    await make('a', 'host1', '80');
    await make('b', 'host1', '8080');
    await make('c', 'host2', '80');
    const listed = async (fieldSelector: string): Promise<string[]> =>
      (await foos.list({ fieldSelector })).items.map((item) => item.metadata.name);
    expect(await listed('host=host1')).toEqual(['a', 'b']);
    expect(await listed('host=host1,port=80')).toEqual(['a']);
    await foos.patch('b', { port: '80' });
    await foos.deleteCollection({ fieldSelector: 'host=host1,port=80' });
    const query = { resourceVersion: metadata.resourceVersion, fieldSelector: 'host=host1,port=80' };
    const events = await foos.watch(query, (all) => all.length === 4);
    expect(events.map(({ type, object }) => `${type} ${object.metadata.name}`).sort()).toEqual([
      'ADDED a',
      'ADDED b',
      'DELETED a',
      'DELETED b',
    ]);
    expect(await listed('host!=host1')).toEqual(['c']);
  });
});

const strict = { fieldValidation: 'Strict' };
const applied = { ...strict, fieldManager: 'test' };

describe.concurrent('[sig-api-machinery] FieldValidation', () => {
  async function foosOf(schema?: object) {
    const { group } = await define(schema);
    const foos = (await cluster.namespace()).of<KubeObject>(`${group}/v1`, 'foos');
    const foo = (name: string, more: object = {}): object => ({
      apiVersion: `${group}/v1`,
      kind: 'Foo',
      metadata: { name },
      ...more,
    });
    return { foos, foo };
  }
  const spec = { type: 'object', properties: { cronSpec: { type: 'string' }, replicas: { type: 'integer' } } };

  it('should detect unknown and duplicate fields of a typed object', async () => {
    const deployments = (await cluster.namespace()).of<Deployment>('apps/v1', 'deployments');
    const body = JSON.stringify(workload('web')).replace(
      '"spec":{',
      '"spec":{"foo":"bar","paused":true,"paused":false,',
    );
    const refused = await refusal(deployments.create(body, strict));
    expect(refused.reason).toBe('BadRequest');
    expect(refused.message).toContain('strict decoding error: unknown field "spec.foo", duplicate field "spec.paused"');
  });

  it('should detect unknown metadata fields of a typed object', async () => {
    const deployments = (await cluster.namespace()).of<Deployment>('apps/v1', 'deployments');
    const body = JSON.stringify(workload('web')).replace('"metadata":{', '"metadata":{"unknownMeta":"foo",');
    const refused = await refusal(deployments.create(body, strict));
    expect(refused.message).toContain('strict decoding error: unknown field "metadata.unknownMeta"');
  });

  it('should create/apply a valid CR for CRD with validation schema', async () => {
    const { foos, foo } = await foosOf(described(spec));
    await foos.create(foo('a', { spec: { cronSpec: '* * * * *', replicas: 1 } }), strict);
    await foos.patch('b', foo('b', { spec: { cronSpec: '* * * * *' } }), { type: 'apply', query: applied });
  });

  it('should create/apply a CR with unknown fields for CRD with no validation schema', async () => {
    const { foos, foo } = await foosOf();
    await foos.create(foo('a', { spec: { foo: 'bar' } }), strict);
    await foos.patch('b', foo('b', { spec: { foo: 'bar' } }), { type: 'apply', query: applied });
  });

  it('should create/apply an invalid CR with extra properties for CRD with validation schema', async () => {
    const { foos, foo } = await foosOf(described(spec));
    const body = foo('a', { spec: { cronSpec: '* * * * *', extra: 'x' } });
    expect((await refusal(foos.create(body, strict))).message).toContain(
      'strict decoding error: unknown field "spec.extra"',
    );
    const refused = await refusal(foos.patch('a', body, { type: 'apply', query: applied }));
    expect(refused.message).toContain('.spec.extra: field not declared in schema');
  });

  it('should detect duplicates in a CR when preserving unknown fields', async () => {
    const { foos, foo } = await foosOf();
    const body = JSON.stringify(foo('a', { spec: {} })).replace('"spec":{', '"spec":{"foo":"foo1","foo":"foo2"');
    const refused = await refusal(foos.create(body, strict));
    expect(refused.message).toContain('strict decoding error: duplicate field "spec.foo"');
  });

  it('should detect unknown metadata fields in both the root and embedded object of a CR', async () => {
    const embedded = {
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      'x-kubernetes-preserve-unknown-fields': true,
    };
    const { foos, foo } = await foosOf(described({ type: 'object', properties: { template: embedded } }));
    const inner = { apiVersion: 'foo/v1', kind: 'Sub', metadata: { name: 'sub', unknownSubMeta: 'x' } };
    const body = JSON.stringify(foo('a', { spec: { template: inner } })).replace(
      '"metadata":{"name":"a"',
      '"metadata":{"unknownMeta":"x","name":"a"',
    );
    const refused = await refusal(foos.create(body, strict));
    expect(refused.message).toContain('unknown field "metadata.unknownMeta"');
    expect(refused.message).toContain('unknown field "spec.template.metadata.unknownSubMeta"');
  });
});
