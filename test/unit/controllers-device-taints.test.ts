/** Pods whose devices get taints. */
import { describe, expect, it, vi } from 'vitest';
import { Simulation } from '../../src/controllers/client/simulation.ts';
import { deviceTaintEvictionController } from '../../src/controllers/device-taint-eviction/index.ts';
import type { Event, Pod } from '../../src/generated/types/core.v1.ts';
import type {
  DeviceTaint,
  DeviceToleration,
  ResourceClaim,
  ResourceSlice,
} from '../../src/generated/types/resource.v1.ts';
import { interrupted } from '../support/interrupted-client.ts';

const CLAIMS = 'resource.k8s.io/resourceclaims';
const SLICES = 'resource.k8s.io/resourceslices';
const PODS = 'core/pods';
const NOW = '2026-01-01T00:00:00Z';

const sick: DeviceTaint = { key: 'sick', value: 'very', effect: 'NoExecute', timeAdded: NOW };
const forSeconds = (tolerationSeconds?: number, more: DeviceToleration = {}): DeviceToleration => ({
  key: 'sick',
  operator: 'Exists',
  effect: 'NoExecute',
  ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
  ...more,
});
const slice = (taints: DeviceTaint[], name = 's', generation = 1, device = 'd'): ResourceSlice => ({
  metadata: { name },
  spec: { driver: 'x.io', pool: { name: 'pool', generation }, devices: [{ name: device, taints }] },
});

describe.each([
  ['undisturbed', {}],
  ['lost after each write', { between: interrupted }],
])('a pod with a device, %s', (_, options) => {
  async function start(slices: ResourceSlice[], tolerations: DeviceToleration[] = []): Promise<Simulation> {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const simulation = new Simulation({ controllers: [deviceTaintEvictionController], kubelet: false, ...options });
    const { cluster } = simulation;
    for (const one of slices) await cluster.create(SLICES, one);
    const { metadata } = await cluster.create<Pod>(PODS, {
      metadata: { name: 'p', namespace: 'ns' },
      spec: { nodeName: 'n', resourceClaims: [{ name: 'c', resourceClaimTemplateName: 't' }] },
      status: { resourceClaimStatuses: [{ name: 'c', resourceClaimName: 'made' }] },
    } as Pod);
    await cluster.create<ResourceClaim>(CLAIMS, {
      metadata: { name: 'made', namespace: 'ns' },
      status: {
        allocation: { devices: { results: [{ driver: 'x.io', pool: 'pool', device: 'd', tolerations }] } },
        reservedFor: [{ resource: 'pods', name: 'p', uid: metadata.uid ?? '' }],
      },
    });
    return simulation;
  }
  const isThere = ({ cluster }: Simulation): boolean => {
    const pod = cluster.peek<Pod>(PODS, 'ns', 'p');
    return pod !== undefined && pod.metadata.deletionTimestamp === undefined;
  };
  const told = ({ cluster }: Simulation): (string | undefined)[] =>
    cluster.all<Event>('core/events').map(({ reason, message }) => `${reason}: ${message}`);

  it.each<[what: string, slices: ResourceSlice[], tolerations: DeviceToleration[], forMs: number]>([
    ['stays without a taint', [slice([])], [], Number.POSITIVE_INFINITY],
    ['stays with one that does not evict', [slice([{ ...sick, effect: 'NoSchedule' }])], [], Number.POSITIVE_INFINITY],
    ['stays when another device has it', [slice([sick], 's', 1, 'other')], [], Number.POSITIVE_INFINITY],
    ['stays when an older generation has it', [slice([sick]), slice([], 's2', 2)], [], Number.POSITIVE_INFINITY],
    ['stays with one that it tolerates', [slice([sick])], [forSeconds()], Number.POSITIVE_INFINITY],
    ['goes with one', [slice([sick])], [], 0],
    [
      'goes with one that it tolerates by another value',
      [slice([sick])],
      [forSeconds(9, { operator: 'Equal', value: 'a' })],
      0,
    ],
    ['goes after the shortest time', [slice([sick])], [forSeconds(60), forSeconds(30)], 30_000],
    ['goes when one of two is not tolerated', [slice([sick, { ...sick, key: 'gone' }])], [forSeconds(30)], 0],
  ])('%s', async (_what, slices, tolerations, forMs) => {
    const simulation = await start(slices, tolerations);
    // Up to just before its time, and past it.
    await simulation.settle(Number.isFinite(forMs) ? Math.max(2000, forMs - 1) : 100_000);
    expect(isThere(simulation)).toBe(forMs > 0);
    await simulation.settle(60_000);
    expect(isThere(simulation)).toBe(!Number.isFinite(forMs));
    expect(told(simulation).includes('DeviceTaintManagerEviction: Marking for deletion')).toBe(Number.isFinite(forMs));
  });

  it('is told why in its conditions', async () => {
    const simulation = await start([slice([])]);
    const { cluster } = simulation;
    await cluster.patch(PODS, 'ns', 'p', 'merge', { metadata: { finalizers: ['example.com/stay'] } });
    await simulation.settle();
    await cluster.patch(SLICES, '', 's', 'merge', { spec: { devices: [{ name: 'd', taints: [{ ...sick }] }] } });
    await simulation.settle(60_000);
    expect(cluster.peek<Pod>(PODS, 'ns', 'p')?.status?.conditions).toMatchObject([
      {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByDeviceTaintManager',
        message: 'Device Taint manager: deleting due to NoExecute taint',
      },
    ]);
  });

  it('stays when the taint goes in time', async () => {
    const simulation = await start([slice([sick])], [forSeconds(30)]);
    await simulation.settle(10_000);
    await simulation.cluster.patch(SLICES, '', 's', 'merge', { spec: { devices: [{ name: 'd' }] } });
    await simulation.settle(100_000);
    expect(isThere(simulation)).toBe(true);
    expect(told(simulation)).toContain('DeviceTaintManagerEviction: Cancelling deletion');
  });
});
