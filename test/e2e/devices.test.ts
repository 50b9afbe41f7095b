/** Dynamic resource allocation with real requests: claims by template get devices of simulated nodes, give them back, and lose them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Event, Namespace, Pod } from '../../src/generated/types/core.v1.ts';
import type {
  DeviceClass,
  ResourceClaim,
  ResourceClaimTemplate,
  ResourceSlice,
} from '../../src/generated/types/resource.v1.ts';
import { Cluster, refusal } from './conformance/cluster.ts';
import { pod, podSpec } from './conformance/objects.ts';

const GROUP = 'resource.k8s.io/v1';
const DRIVER = 'gpu.example.com';
const NODE = 'sim-1';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(() => cluster?.stop());

const isRunning = ({ status }: Pod): boolean => status?.phase === 'Running';
const why = ({ status }: Pod): string =>
  status?.conditions?.find(({ type, status: is }) => type === 'PodScheduled' && is === 'False')?.message ?? '';

describe('dynamic resource allocation', () => {
  it('gives each pod a device of its own, and another to the next when one goes', async () => {
    const ns = await cluster.namespace();
    const pods = ns.of<Pod>('v1', 'pods');
    const claims = ns.of<ResourceClaim>(GROUP, 'resourceclaims');
    const slices = cluster.of<ResourceSlice>(GROUP, 'resourceslices');
    await cluster.of<DeviceClass>(GROUP, 'deviceclasses').create({
      metadata: { name: 'large-gpu' },
      spec: {
        selectors: [
          { cel: { expression: `device.capacity["${DRIVER}"].memory.compareTo(quantity("8Gi")) >= 0` } },
          { cel: { expression: `device.driver == "${DRIVER}"` } },
        ],
      },
    });
    const gpu = (name: string, memory: string) => ({ name, capacity: { memory: { value: memory } } });
    await slices.create({
      metadata: { name: 'gpus' },
      spec: {
        driver: DRIVER,
        nodeName: NODE,
        pool: { name: NODE, generation: 1, resourceSliceCount: 1 },
        devices: [gpu('small', '4Gi'), gpu('gpu-0', '8Gi'), gpu('gpu-1', '16Gi')],
      },
    });
    await ns.of<ResourceClaimTemplate>(GROUP, 'resourceclaimtemplates').create({
      metadata: { name: 'one-gpu' },
      spec: { spec: { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'large-gpu' } }] } } },
    });
    const resourceClaims = [{ name: 'gpu', resourceClaimTemplateName: 'one-gpu' }];
    const claimOf = async (name: string): Promise<ResourceClaim> => {
      const { status } = await pods.get(name);
      return claims.get(status?.resourceClaimStatuses?.[0]?.resourceClaimName ?? '');
    };
    const deviceOf = async (name: string): Promise<string | undefined> =>
      (await claimOf(name)).status?.allocation?.devices?.results?.[0]?.device;

    for (const name of ['a', 'b']) {
      await pods.create(pod(name, podSpec({ resourceClaims })));
      expect((await pods.until(name, isRunning)).spec?.nodeName).toBe(NODE);
    }
    expect([await deviceOf('a'), await deviceOf('b')].sort()).toEqual(['gpu-0', 'gpu-1']);
    const { metadata, status } = await claimOf('a');
    expect(metadata.finalizers).toEqual(['resource.kubernetes.io/delete-protection']);
    expect(status?.reservedFor).toMatchObject([{ resource: 'pods', name: 'a' }]);
    // While a claim is in use, nobody takes its devices away or gives it others.
    const other = { status: { allocation: { devices: { results: [] } } } };
    const said = await refusal(claims.patch(metadata.name, other, { subresource: 'status' }));
    expect(said).toMatchObject({ code: 422, reason: 'Invalid' });

    await pods.create(pod('c', podSpec({ resourceClaims })));
    await pods.until('c', (one) => why(one).includes('3 cannot allocate all claims'));
    await pods.delete('a');
    await pods.until('c', isRunning);
    expect([await deviceOf('b'), await deviceOf('c')].sort()).toEqual(['gpu-0', 'gpu-1']);
    await claims.untilGone(metadata.name);

    const tainted = await deviceOf('b');
    const { spec } = await slices.get('gpus');
    const devices = spec?.devices?.map((one) =>
      one.name === tainted ? { ...one, taints: [{ key: `${DRIVER}/broken`, effect: 'NoExecute' }] } : one,
    );
    await slices.patch('gpus', { spec: { devices } });
    await pods.untilGone('b');
    expect(isRunning(await pods.get('c'))).toBe(true);
    const told = async () =>
      (await ns.of<Event>('v1', 'events').list()).items
        .filter(({ reason }) => reason === 'DeviceTaintManagerEviction')
        .map(({ involvedObject, message }) => [involvedObject?.name, message]);
    await expect.poll(told).toEqual([['b', 'Marking for deletion']]);
  });

  it('lets nobody at the devices of others but from a namespace that is meant for it', async () => {
    const ns = await cluster.namespace();
    const claims = ns.of<ResourceClaim>(GROUP, 'resourceclaims');
    const exactly = { deviceClassName: 'any', adminAccess: true };
    const claim = { metadata: { name: 'admin' }, spec: { devices: { requests: [{ name: 'all', exactly }] } } };
    expect(await refusal(claims.create(claim))).toMatchObject({
      code: 422,
      message:
        'ResourceClaim.resource.k8s.io "admin" is invalid: spec.devices.requests[0].adminAccess: Forbidden: admin access to devices requires the `resource.kubernetes.io/admin-access: true` label on the containing namespace',
    });
    const labels = { 'resource.kubernetes.io/admin-access': 'true' };
    await cluster.of<Namespace>('v1', 'namespaces').patch(ns.name, { metadata: { labels } });
    expect(await claims.create(claim)).toMatchObject({ metadata: { name: 'admin' } });
  });
});
