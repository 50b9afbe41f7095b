/** Endpoints, EndpointSlices and the types of Services, by the names of Kubernetes' conformance tests. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Endpoints, Pod, Service } from '../../../src/generated/types/core.v1.ts';
import type { EndpointSlice } from '../../../src/generated/types/discovery.v1.ts';
import { Cluster, type TestNamespace } from './cluster.ts';
import { pod } from './objects.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(() => cluster?.stop());

const servicesOf = (ns: TestNamespace) => ns.of<Service>('v1', 'services');
const endpointsOf = (ns: TestNamespace) => ns.of<Endpoints>('v1', 'endpoints');
const slicesOf = (ns: TestNamespace) => ns.of<EndpointSlice>('discovery.k8s.io/v1', 'endpointslices');
const ofService = (name: string) => ({ labelSelector: `kubernetes.io/service-name=${name}` });

const service = (name: string, spec: object = {}): object => ({
  metadata: { name },
  spec: { ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...spec },
});

const addressesOf = ({ subsets = [] }: Endpoints): string[] =>
  subsets.flatMap(({ addresses = [] }) => addresses.map(({ ip }) => ip ?? '')).sort();
const readyOf = (slices: EndpointSlice[]): string[] =>
  slices
    .flatMap(({ endpoints }) => endpoints ?? [])
    .flatMap(({ addresses, conditions }) => (conditions?.ready === false ? [] : (addresses ?? [])))
    .sort();

/** Two pods that a Service selects; answers their addresses. */
async function servedPods(ns: TestNamespace): Promise<string[]> {
  const pods = ns.of<Pod>('v1', 'pods');
  for (const name of ['pod1', 'pod2']) await pods.create(pod(name, undefined, { labels: { app: 'served' } }));
  const running = await Promise.all(['pod1', 'pod2'].map((name) => pods.until(name, ({ status }) => !!status?.podIP)));
  return running.map(({ status }) => status?.podIP ?? '').sort();
}

describe.concurrent('[sig-network] API Server', () => {
  it('should provide secure master service', async () => {
    const { spec } = await servicesOf(cluster.existing('default')).get('kubernetes');
    expect(spec?.ports).toEqual([expect.objectContaining({ name: 'https', port: 443 })]);
  });

  // Agents answer for the API server at the Service's address: there is nothing behind it that a list could name.
  it('should have Endpoints and EndpointSlices pointing to API Server', async () => {
    const ns = cluster.existing('default');
    const endpoints = await endpointsOf(ns).get('kubernetes');
    expect(endpoints.subsets?.[0]?.ports?.[0]).toMatchObject({ name: 'https' });
    const slices = await slicesOf(ns).untilList((all) => all.length > 0, ofService('kubernetes'));
    expect(readyOf(slices)).toEqual(addressesOf(endpoints));
  });
});

describe.concurrent('[sig-network] Endpoints', () => {
  it('should test the lifecycle of an Endpoint', async () => {
    const endpoints = endpointsOf(await cluster.namespace());
    const { metadata } = await endpoints.list();
    const subsets = [{ addresses: [{ ip: '10.0.0.24' }], ports: [{ name: 'http', port: 80 }] }];
    await endpoints.create({ metadata: { name: 'e', labels: { test: 'static' } }, subsets });
    expect((await endpoints.list({ labelSelector: 'test=static' })).items).toHaveLength(1);
    await endpoints.update('e', (found) => Object.assign(found.metadata, { labels: { test: 'updated' } }));
    const patched = await endpoints.patch('e', { subsets: [{ ...subsets[0], ports: [{ name: 'http', port: 8080 }] }] });
    expect(patched.subsets?.[0]?.ports).toEqual([{ name: 'http', port: 8080, protocol: 'TCP' }]);
    await endpoints.deleteCollection({ labelSelector: 'test=updated' });
    const query = { resourceVersion: metadata.resourceVersion };
    const events = await endpoints.watch(query, (all) => all.at(-1)?.type === 'DELETED');
    expect(events.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'MODIFIED', 'DELETED']);
    expect((await endpoints.list()).items).toEqual([]);
  });
});

describe.concurrent('[sig-network] EndpointsController', () => {
  it('should create and delete Endpoints for a Service with a selector that matches no pods', async () => {
    const ns = await cluster.namespace();
    await servicesOf(ns).create(service('empty', { selector: { app: 'nobody' } }));
    await endpointsOf(ns).until('empty', (found) => addressesOf(found).length === 0);
    await servicesOf(ns).delete('empty');
    await endpointsOf(ns).untilGone('empty');
  });

  it('should create Endpoints for Pods matching a Service', async () => {
    const ns = await cluster.namespace();
    await servicesOf(ns).create(service('web', { selector: { app: 'served' } }));
    const addresses = await servedPods(ns);
    const found = await endpointsOf(ns).until('web', (one) => addressesOf(one).length === 2);
    expect(addressesOf(found)).toEqual(addresses);
    expect(found.subsets?.[0]?.ports).toEqual([{ name: 'http', port: 8080, protocol: 'TCP' }]);
  });
});

describe.concurrent('[sig-network] EndpointSlice', () => {
  it('should create and delete EndpointSlices for a Service with a selector that matches no pods', async () => {
    const ns = await cluster.namespace();
    await servicesOf(ns).create(service('empty', { selector: { app: 'nobody' } }));
    const [slice] = await slicesOf(ns).untilList((all) => all.length === 1, ofService('empty'));
    expect(slice?.endpoints ?? []).toEqual([]);
    await servicesOf(ns).delete('empty');
    await slicesOf(ns).untilList((all) => all.length === 0, ofService('empty'));
  });

  it('should create Endpoints and EndpointSlices for Pods matching a Service', async () => {
    const ns = await cluster.namespace();
    await servicesOf(ns).create(service('web', { selector: { app: 'served' } }));
    const addresses = await servedPods(ns);
    const slices = await slicesOf(ns).untilList((all) => readyOf(all).length === 2, ofService('web'));
    expect(readyOf(slices)).toEqual(addresses);
    expect(slices[0]).toMatchObject({ addressType: 'IPv4', ports: [{ name: 'http', port: 8080, protocol: 'TCP' }] });
    const targets = slices.flatMap(({ endpoints }) => endpoints ?? []).map(({ targetRef }) => targetRef?.name);
    expect(targets.sort()).toEqual(['pod1', 'pod2']);
    const endpoints = await endpointsOf(ns).until('web', (one) => addressesOf(one).length === 2);
    expect(addressesOf(endpoints)).toEqual(addresses);
  });
});

describe.concurrent('[sig-network] EndpointSliceMirroring', () => {
  it('should mirror a custom Endpoints resource through create update and delete', async () => {
    const ns = await cluster.namespace();
    await servicesOf(ns).create(service('custom'));
    const subsets = (ip: string): object[] => [{ addresses: [{ ip }], ports: [{ name: 'http', port: 80 }] }];
    await endpointsOf(ns).create({ metadata: { name: 'custom' }, subsets: subsets('10.1.2.3') });
    const mirrored = (ip: string) =>
      slicesOf(ns).untilList((all) => readyOf(all).join() === ip && all.length === 1, ofService('custom'));
    const [slice] = await mirrored('10.1.2.3');
    expect(slice?.metadata.labels?.['endpointslice.kubernetes.io/managed-by']).toBe(
      'endpointslicemirroring-controller.k8s.io',
    );
    await endpointsOf(ns).patch('custom', { subsets: subsets('10.2.3.4') });
    await mirrored('10.2.3.4');
    await endpointsOf(ns).delete('custom');
    await slicesOf(ns).untilList((all) => all.length === 0, ofService('custom'));
  });
});

describe.concurrent('[sig-network] Services', () => {
  const external = { type: 'ExternalName', externalName: 'foo.example.com', ports: [] };

  /** The spec after a change of the type. */
  async function changed(from: object, change: (spec: NonNullable<Service['spec']>) => void): Promise<Service['spec']> {
    const services = servicesOf(await cluster.namespace());
    await services.create(service('s', from));
    return (await services.update('s', ({ spec }) => change(spec ?? {}))).spec;
  }

  it('should be able to change the type from ExternalName to ClusterIP', async () => {
    const spec = await changed(external, (old) => {
      delete old.externalName;
      Object.assign(old, { type: 'ClusterIP', ports: [{ port: 80 }] });
    });
    expect(spec).toMatchObject({ type: 'ClusterIP', clusterIP: expect.stringMatching(/^\d+\./) });
  });

  it('should be able to change the type from ExternalName to NodePort', async () => {
    const spec = await changed(external, (old) => {
      delete old.externalName;
      Object.assign(old, { type: 'NodePort', ports: [{ port: 80 }] });
    });
    expect(spec).toMatchObject({ type: 'NodePort', clusterIP: expect.stringMatching(/^\d+\./) });
    expect(spec?.ports?.[0]?.nodePort).toBeGreaterThan(0);
  });

  const toExternalName = (old: NonNullable<Service['spec']>): void => {
    Object.assign(old, { type: 'ExternalName', externalName: 'foo.example.com' });
    delete old.clusterIP;
    delete old.clusterIPs;
  };

  it('should be able to change the type from ClusterIP to ExternalName', async () => {
    const spec = await changed({}, toExternalName);
    expect(spec).toMatchObject({ type: 'ExternalName', externalName: 'foo.example.com' });
    expect(spec?.clusterIP).toBeUndefined();
  });

  it('should be able to change the type from NodePort to ExternalName', async () => {
    const spec = await changed({ type: 'NodePort' }, toExternalName);
    expect(spec?.clusterIP).toBeUndefined();
    expect(spec?.ports?.[0]?.nodePort).toBeUndefined();
  });
});
