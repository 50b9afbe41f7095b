import { describe, expect, it } from 'vitest';
import { Simulation } from '../../src/controllers/client/simulation.ts';
import { volumeProtection } from '../../src/controllers/volume-protection/index.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../src/generated/types/core.v1.ts';

async function start(): Promise<Simulation> {
  const simulation = new Simulation();
  await simulation.cluster.create('core/namespaces', { metadata: { name: 'ns' } });
  await simulation.settle();
  return simulation;
}

const claim = { metadata: { name: 'data', namespace: 'ns' }, spec: {} } as unknown as PersistentVolumeClaim;
const user = (nodeName: string): Pod =>
  ({
    metadata: { name: 'user', namespace: 'ns' },
    spec: { nodeName, containers: [], volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] },
  }) as unknown as Pod;

describe('protection of storage objects', () => {
  it('keeps a claim while a pod on a node uses it', async () => {
    const simulation = await start();
    const { cluster } = simulation;
    await cluster.create('core/persistentvolumeclaims', claim);
    await cluster.create('core/pods', user('sim-1'));
    await simulation.settle();
    const peek = () => cluster.peek<PersistentVolumeClaim>('core/persistentvolumeclaims', 'ns', 'data');
    expect(peek()?.metadata.finalizers).toEqual(['kubernetes.io/pvc-protection']);
    await cluster.delete('core/persistentvolumeclaims', 'ns', 'data');
    await simulation.settle();
    expect(peek()?.metadata.deletionTimestamp).toBeDefined();
    await cluster.delete('core/pods', 'ns', 'user', { gracePeriodSeconds: 0 });
    await simulation.settle();
    expect(peek()).toBeUndefined();
  });

  it('keeps a volume while it is bound', async () => {
    const simulation = new Simulation({ controllers: [volumeProtection] });
    const { cluster } = simulation;
    const volume = { metadata: { name: 'pv' }, status: { phase: 'Bound' } } as unknown as PersistentVolume;
    await cluster.create('core/persistentvolumes', volume);
    await simulation.settle();
    await cluster.delete('core/persistentvolumes', '', 'pv');
    await simulation.settle();
    const peek = () => cluster.peek<PersistentVolume>('core/persistentvolumes', '', 'pv');
    expect(peek()?.metadata.finalizers).toEqual(['kubernetes.io/pv-protection']);
    await cluster.patch('core/persistentvolumes', '', 'pv', 'merge', { status: { phase: 'Released' } }, 'status');
    await simulation.settle();
    expect(peek()).toBeUndefined();
  });
});
