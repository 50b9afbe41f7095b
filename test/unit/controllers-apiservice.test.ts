import { describe, expect, it } from 'vitest';
import { apiServiceController } from '../../src/controllers/apiservice/index.ts';
import { Simulation } from '../../src/controllers/client/simulation.ts';
import type { DiscoveryProbe } from '../../src/controllers/controller.ts';
import { crdRegistrationController } from '../../src/controllers/crd-registration/index.ts';
import type { CustomResourceDefinition } from '../../src/generated/types/apiextensions.v1.ts';
import type { APIService } from '../../src/generated/types/apiregistration.v1.ts';

const API_SERVICES = 'apiregistration.k8s.io/apiservices';
const DEFINITIONS = 'apiextensions.k8s.io/customresourcedefinitions';
const AUTOMANAGED = 'kube-aggregator.kubernetes.io/automanaged';

const definition = (name: string, versions: Record<string, boolean>): CustomResourceDefinition => ({
  metadata: { name: `${name}.demo.io` },
  spec: {
    group: 'demo.io',
    scope: 'Namespaced',
    names: { plural: name, kind: name },
    versions: Object.entries(versions).map(([version, served]) => ({ name: version, served, storage: false })),
  },
});

describe('group-versions of definitions', () => {
  const start = () => new Simulation({ controllers: [crdRegistrationController, apiServiceController] });
  const names = ({ cluster }: Simulation) =>
    cluster
      .all<APIService>(API_SERVICES)
      .map(({ metadata }) => metadata.name)
      .sort();

  it('have an APIService as long as some definition serves them', async () => {
    const sim = start();
    await sim.cluster.create(DEFINITIONS, definition('a', { v1: true, v1beta1: false }));
    await sim.cluster.create(DEFINITIONS, definition('b', { v1: true, v2: true }));
    await sim.settle();
    expect(names(sim)).toEqual(['v1.demo.io', 'v2.demo.io']);
    const made = sim.cluster.peek<APIService>(API_SERVICES, '', 'v1.demo.io');
    expect(made?.metadata.labels).toEqual({ [AUTOMANAGED]: 'true' });
    expect(made?.spec).toEqual({ group: 'demo.io', version: 'v1', groupPriorityMinimum: 1000, versionPriority: 100 });
    expect(made?.status?.conditions?.[0]).toMatchObject({ type: 'Available', status: 'True', reason: 'Local' });

    await sim.cluster.delete(DEFINITIONS, '', 'b.demo.io');
    await sim.settle();
    expect(names(sim)).toEqual(['v1.demo.io']);
    await sim.cluster.patch(DEFINITIONS, '', 'a.demo.io', 'merge', definition('a', { v1beta1: true }) as never);
    await sim.settle();
    expect(names(sim)).toEqual(['v1beta1.demo.io']);
  });

  it('are set right when somebody changes or deletes theirs', async () => {
    const sim = start();
    await sim.cluster.create(DEFINITIONS, definition('a', { v1: true }));
    await sim.settle();
    await sim.cluster.patch(API_SERVICES, '', 'v1.demo.io', 'merge', { spec: { versionPriority: 7 } });
    await sim.settle();
    expect(sim.cluster.peek<APIService>(API_SERVICES, '', 'v1.demo.io')?.spec?.versionPriority).toBe(100);
    await sim.cluster.delete(API_SERVICES, '', 'v1.demo.io');
    await sim.settle();
    expect(names(sim)).toEqual(['v1.demo.io']);
  });

  it.each([undefined, { [AUTOMANAGED]: 'onstart' }])('are left to whoever has registered them: %j', async (labels) => {
    const sim = start();
    const spec = { group: 'demo.io', version: 'v1', groupPriorityMinimum: 5, versionPriority: 5 };
    const metadata = { name: 'v1.demo.io', ...(labels === undefined ? {} : { labels }) };
    await sim.cluster.create<APIService>(API_SERVICES, { metadata, spec });
    await sim.cluster.create(DEFINITIONS, definition('a', { v1: true }));
    await sim.settle();
    await sim.cluster.delete(DEFINITIONS, '', 'a.demo.io');
    await sim.settle();
    expect(sim.cluster.peek<APIService>(API_SERVICES, '', 'v1.demo.io')?.spec).toEqual(spec);
  });
});

describe('availability of a remote APIService', () => {
  const url = 'https://10.96.0.7:443/apis/demo.io/v1';
  async function start(probeDiscovery: DiscoveryProbe) {
    const sim = new Simulation({ controllers: [apiServiceController], probeDiscovery });
    const { cluster } = sim;
    const port = { name: 'https', port: 443 };
    await cluster.create('core/services', {
      metadata: { name: 'ext', namespace: 'demo' },
      spec: { clusterIP: '10.96.0.7', type: 'ClusterIP', ports: [port] },
    } as never);
    await cluster.create('discovery.k8s.io/endpointslices', {
      metadata: { name: 'ext-1', namespace: 'demo', labels: { 'kubernetes.io/service-name': 'ext' } },
      ports: [{ name: 'https', port: 8443 }],
      endpoints: [{ addresses: ['10.244.0.9'] }],
    } as never);
    await cluster.create<APIService>(API_SERVICES, {
      metadata: { name: 'v1.demo.io' },
      spec: { group: 'demo.io', version: 'v1', service: { namespace: 'demo', name: 'ext', port: 443 } },
    });
    await sim.settle(500);
    const condition = () => cluster.peek<APIService>(API_SERVICES, '', 'v1.demo.io')?.status?.conditions?.[0];
    return { sim, condition };
  }

  it.each<[Awaited<ReturnType<DiscoveryProbe>>, string]>([
    [{ status: 404 }, `bad status from ${url}: 404`],
    [{ status: 301 }, `bad status from ${url}: 301`],
    [
      { error: 'dial tcp 10.244.0.9:8443: connect: connection refused' },
      `Get "${url}": dial tcp 10.244.0.9:8443: connect: connection refused`,
    ],
  ])('fails with %j', async (said, why) => {
    const { condition } = await start(() => Promise.resolve(said));
    expect(condition()).toMatchObject({
      status: 'False',
      reason: 'FailedDiscoveryCheck',
      message: `failing or missing response from ${url}: ${why}`,
    });
  });

  it('is asked for again without any change having happened', async () => {
    let status = 503;
    let asked = 0;
    const { sim, condition } = await start(() => {
      asked++;
      return Promise.resolve({ status });
    });
    status = 200;
    await sim.settle(2_000);
    expect(condition()).toMatchObject({ status: 'True', reason: 'Passed', message: 'all checks passed' });
    status = 500;
    const before = asked;
    await sim.settle(35_000);
    expect(condition()?.reason).toBe('FailedDiscoveryCheck');
    expect(asked - before).toBeLessThan(10);
  });
});
