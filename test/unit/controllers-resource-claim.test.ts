/** Claims of devices that pods ask for by template. */
import { describe, expect, it, vi } from 'vitest';
import type { KubeObject } from '../../src/apimachinery/meta.ts';
import { Simulation } from '../../src/controllers/client/simulation.ts';
import { resourceClaimController } from '../../src/controllers/resource-claim/index.ts';
import { baseName } from '../../src/controllers/resource-claim/pod.ts';
import type { Event, Pod } from '../../src/generated/types/core.v1.ts';
import type { ResourceClaim } from '../../src/generated/types/resource.v1.ts';
import { interrupted } from '../support/interrupted-client.ts';

const CLAIMS = 'resource.k8s.io/resourceclaims';
const PODS = 'core/pods';
const template = {
  metadata: { name: 't', namespace: 'ns' },
  spec: { metadata: { labels: { a: 'b' } }, spec: { devices: { requests: [{ name: 'gpu' }] } } },
} as KubeObject;
const pod = {
  metadata: { name: 'p', namespace: 'ns' },
  spec: { resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 't' }] },
} as unknown as Pod;

describe.each([
  ['undisturbed', {}],
  ['lost after each write', { between: interrupted }],
])('claims by template, %s', (_, options) => {
  async function start(): Promise<Simulation> {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    return new Simulation({ controllers: [resourceClaimController], kubelet: false, ...options });
  }
  const claims = ({ cluster }: Simulation) => cluster.all<ResourceClaim>(CLAIMS);
  const statuses = ({ cluster }: Simulation) => cluster.peek<Pod>(PODS, 'ns', 'p')?.status?.resourceClaimStatuses;

  it('are made once, told, and made again when they are deleted', async () => {
    const simulation = await start();
    const { cluster } = simulation;
    await cluster.create('resource.k8s.io/resourceclaimtemplates', template);
    await cluster.create(PODS, pod);
    await simulation.settle();
    expect(claims(simulation)).toMatchObject([
      {
        metadata: {
          labels: { a: 'b' },
          annotations: { 'resource.kubernetes.io/pod-claim-name': 'gpu' },
          ownerReferences: [{ kind: 'Pod', name: 'p', controller: true }],
        },
        spec: { devices: { requests: [{ name: 'gpu' }] } },
      },
    ]);
    // Nobody waits for its end.
    expect(claims(simulation)[0]?.metadata.ownerReferences?.[0]).not.toHaveProperty('blockOwnerDeletion');
    const name = claims(simulation)[0]?.metadata.name ?? '';
    expect(name).toMatch(/^p-gpu-.{5}$/);
    expect(statuses(simulation)).toEqual([{ name: 'gpu', resourceClaimName: name }]);
    await cluster.delete(CLAIMS, 'ns', name);
    await simulation.settle();
    expect(statuses(simulation)).toEqual([{ name: 'gpu', resourceClaimName: claims(simulation)[0]?.metadata.name }]);
  });

  it('wait for their template', async () => {
    const simulation = await start();
    await simulation.cluster.create(PODS, pod);
    await simulation.settle(50);
    const told = simulation.cluster
      .all<Event>('core/events')
      .map(({ reason, message, source }) => [reason, message, source]);
    expect(told[0]).toEqual([
      'FailedResourceClaimCreation',
      'PodResourceClaim gpu: resource claim template "t": resourceclaimtemplate.resource.k8s.io "t" not found',
      { component: 'resource_claim' },
    ]);
    await simulation.cluster.create('resource.k8s.io/resourceclaimtemplates', template);
    await simulation.settle();
    expect(claims(simulation)).toHaveLength(1);
  });

  it('are reserved for a pod with a node, given back and deleted when it has ended', async () => {
    const simulation = await start();
    const { cluster } = simulation;
    await cluster.create('resource.k8s.io/resourceclaimtemplates', template);
    await cluster.create(PODS, pod);
    await simulation.settle();
    const { name = '' } = claims(simulation)[0]?.metadata ?? {};
    const finalizers = ['resource.kubernetes.io/delete-protection'];
    await cluster.patch(CLAIMS, 'ns', name, 'merge', { metadata: { finalizers } });
    await cluster.patch(CLAIMS, 'ns', name, 'merge', { status: { allocation: { devices: {} } } }, 'status');
    await cluster.patch(PODS, 'ns', 'p', 'merge', { spec: { nodeName: 'n1' } });
    await simulation.settle();
    const uid = cluster.peek(PODS, 'ns', 'p')?.metadata.uid;
    expect(claims(simulation)[0]?.status?.reservedFor).toEqual([{ resource: 'pods', name: 'p', uid }]);
    await cluster.patch(PODS, 'ns', 'p', 'merge', { status: { phase: 'Succeeded' } }, 'status');
    await simulation.settle();
    expect(claims(simulation)).toEqual([]);
  });

  it('that others made stay without their devices when the last pod that uses them goes, even without ever having run', async () => {
    const simulation = await start();
    const { cluster } = simulation;
    const finalizers = ['resource.kubernetes.io/delete-protection', 'example.com/other'];
    const results = [{ request: 'gpu', driver: 'x.io', pool: 'n', device: 'd' }];
    const { metadata } = await cluster.create(PODS, {
      metadata: { name: 'p', namespace: 'ns' },
      spec: { resourceClaims: [{ name: 'gpu', resourceClaimName: 'own' }] },
    } as unknown as Pod);
    await cluster.create<ResourceClaim>(CLAIMS, {
      metadata: { name: 'own', namespace: 'ns', finalizers },
      status: {
        allocation: { devices: { results } },
        devices: [{ driver: 'x.io', pool: 'n', device: 'd' }],
        reservedFor: [{ resource: 'pods', name: 'p', uid: metadata.uid ?? '' }],
      },
    });
    await simulation.settle();
    expect(claims(simulation)[0]?.status?.allocation).toBeDefined();
    await cluster.delete(PODS, 'ns', 'p', { gracePeriodSeconds: 0 });
    await simulation.settle();
    expect(claims(simulation)[0]?.status).toEqual({});
    await cluster.delete(CLAIMS, 'ns', 'own');
    await simulation.settle();
    expect(claims(simulation)).toMatchObject([{ metadata: { finalizers: ['example.com/other'] } }]);
  });
});

it.each([
  ['p', 'gpu', 'p-gpu-'],
  ['p'.repeat(60), 'c'.repeat(30), `${'p'.repeat(37)}-${'c'.repeat(18)}`],
])('%s and %s begin a name', (name, claim, base) => {
  expect(baseName(name, claim)).toBe(base);
});
