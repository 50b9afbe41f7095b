/** Devices, claims and pods that use them, over a scheduler in memory. */
import type { JsonObject, KubeObject } from '../../src/apimachinery/meta.ts';
import type { Pod } from '../../src/generated/types/core.v1.ts';
import type { Device, DeviceClaim, ResourceClaim, ResourceSlice } from '../../src/generated/types/resource.v1.ts';
import { SchedulerLab } from './scheduler.ts';

export const CLAIMS = 'resource.k8s.io/resourceclaims';
export const CLASSES = 'resource.k8s.io/deviceclasses';
export const SLICES = 'resource.k8s.io/resourceslices';
export const DRIVER = 'gpu.example.com';
export const PROTECTION = 'resource.kubernetes.io/delete-protection';

type SliceSpec = NonNullable<ResourceSlice['spec']>;

/** A slice of the pool that is called as its node, complete by itself. */
export const slice = (name: string, devices: (Device | string)[], more: SliceSpec = {}): ResourceSlice => ({
  metadata: { name },
  spec: {
    driver: DRIVER,
    pool: { name, generation: 1, resourceSliceCount: 1 },
    ...(more.allNodes || more.nodeSelector || more.perDeviceNodeSelection ? {} : { nodeName: name }),
    devices: devices.map((device) => (typeof device === 'string' ? { name: device } : device)),
    ...more,
  },
});
export const device = (name: string, attributes: JsonObject = {}, more: JsonObject = {}): Device =>
  ({ name, attributes, ...more }) as Device;
export const request = (name: string, more: JsonObject = {}) => ({
  name,
  exactly: { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 1, ...more },
});
export const cel = (expression: string): JsonObject => ({ cel: { expression } });
export const claim = (name: string, devices: DeviceClaim = { requests: [request('r')] }): ResourceClaim => ({
  metadata: { name, namespace: 'default' },
  spec: { devices },
});
export const using = (...names: string[]): Partial<NonNullable<Pod['spec']>> => ({
  resourceClaims: names.map((resourceClaimName, i) => ({ name: `c${i}`, resourceClaimName })),
});
export const inZone = (zone: string) => ({
  nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: [zone] }] }],
});

export interface Made {
  slices?: ResourceSlice[];
  claims?: ResourceClaim[];
  class?: JsonObject;
}

/** Nodes n1 in zone a, n2 in zone b. */
export async function lab({ slices = [], claims = [], class: spec = {} }: Made): Promise<SchedulerLab> {
  const made = new SchedulerLab();
  await made.node('n1', { labels: { zone: 'a' } });
  await made.node('n2', { labels: { zone: 'b' } });
  await made.cluster.create(CLASSES, { metadata: { name: 'gpu' }, spec } as KubeObject);
  for (const one of slices) await made.cluster.create(SLICES, one);
  for (const one of claims) await made.cluster.create(CLAIMS, one);
  return made;
}

export const claimOf = ({ cluster }: SchedulerLab, name: string): ResourceClaim | undefined =>
  cluster.peek<ResourceClaim>(CLAIMS, 'default', name);
/** `request=pool/device`, in order. */
export const devicesOf = (made: SchedulerLab, name: string): string[] =>
  (claimOf(made, name)?.status?.allocation?.devices?.results ?? []).map((r) => `${r.request}=${r.pool}/${r.device}`);
