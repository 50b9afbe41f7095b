import { describe, expect, it } from 'vitest';
import type { Pod } from '../../src/generated/types/core.v1.ts';
import { SchedulerLab } from '../support/scheduler.ts';

type Spec = Partial<NonNullable<Pod['spec']>>;
const priority = (value: number, more: Spec = {}): Spec => ({ priority: value, ...more });

async function lab(nodes: number, cpu = '4'): Promise<SchedulerLab> {
  const made = new SchedulerLab();
  for (let i = 1; i <= nodes; i++) await made.node(`n${i}`, { allocatable: { cpu } });
  return made;
}

/** A node's pods that are not being deleted. */
const left = (on: SchedulerLab, node: string): string[] =>
  on.cluster
    .all<Pod>('core/pods')
    .filter((pod) => pod.spec?.nodeName === node && pod.metadata.deletionTimestamp === undefined)
    .map((pod) => pod.metadata.name)
    .sort();

describe('preemption', () => {
  it('nominates the node, ends the victim gracefully, and binds when it is gone', async () => {
    const on = await lab(3);
    for (const i of [1, 2, 3]) await on.pod(`low-${i}`, { cpu: '3' });
    await on.settle();
    const high = await on.pod('high', { cpu: '2' }, priority(1000, { schedulerName: 'default-scheduler' }));
    await on.settle();
    const { nominatedNodeName } = on.get('high')?.status ?? {};
    expect(nominatedNodeName).toMatch(/^n[123]$/);
    expect(on.why('high')).toBe('0/3 nodes are available: 3 Insufficient cpu.');
    const victims = on.cluster.all<Pod>('core/pods').filter((pod) => pod.metadata.deletionTimestamp !== undefined);
    expect(victims).toHaveLength(1);
    const [victim] = victims;
    expect(victim?.status?.conditions?.find((c) => c.type === 'DisruptionTarget')).toMatchObject({
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: 'default-scheduler: preempting to accommodate a higher priority pod',
    });
    expect(on.events).toContainEqual({
      pod: victim?.metadata.name,
      type: 'Normal',
      reason: 'Preempted',
      message: `Preempted by pod ${high.metadata.uid} on node ${nominatedNodeName}`,
    });
    expect(on.nodeOf('high')).toBeUndefined();
    await on.remove(victim?.metadata.name ?? '');
    await on.settle();
    expect(on.nodeOf('high')).toBe(nominatedNodeName);
    const warnings = on.events.filter(({ type }) => type === 'Warning');
    expect(warnings.map(({ message }) => message)).toEqual(['0/3 nodes are available: 3 Insufficient cpu.']);
  });

  it('keeps the room for the one it was made for', async () => {
    const on = await lab(1);
    await on.pod('low', { cpu: '3' });
    await on.settle();
    await on.pod('high', { cpu: '3' }, priority(1000));
    await on.settle();
    await on.pod('small', { cpu: '1' });
    await on.settle();
    await on.remove('low');
    await on.pod('sneaky', { cpu: '2' });
    await on.settle();
    expect(on.nodeOf('high')).toBe('n1');
    expect(on.nodeOf('sneaky')).toBeUndefined();
    expect(on.nodeOf('small')).toBe('n1');
  });

  it.each<[string, Spec, Record<string, string>, string]>([
    ['a policy of Never', { preemptionPolicy: 'Never' }, { cpu: '2' }, 'not eligible due to preemptionPolicy=Never.'],
    ['more than a node has', {}, { cpu: '5' }, '0/2 nodes are available: 2 Preemption is not helpful for scheduling.'],
  ])('does not help with %s', async (_, spec, requests, why) => {
    const on = await lab(2);
    for (const i of [1, 2]) await on.pod(`low-${i}`, { cpu: '3' });
    await on.settle();
    await on.pod('high', requests, priority(1000, spec));
    await on.settle();
    expect(on.why('high')).toBe(
      `0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: ${why}`,
    );
    expect(left(on, 'n1').length + left(on, 'n2').length).toBe(2);
  });

  it('says which nodes have nobody less important', async () => {
    const on = await lab(2);
    await on.pod('a', { cpu: '3' }, priority(5));
    await on.pod('b', { cpu: '3' }, priority(5));
    await on.settle();
    await on.pod('c', { cpu: '2' }, priority(5));
    await on.settle();
    expect(on.why('c')).toContain(
      'preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.',
    );
  });

  it('takes the least important, and no more than it needs', async () => {
    const on = await lab(1, '6');
    for (const [name, value] of [
      ['p3', 3],
      ['p1', 1],
      ['p2', 2],
    ] as const) {
      await on.pod(name, { cpu: '2' }, priority(value));
    }
    await on.settle();
    await on.pod('high', { cpu: '2' }, priority(10));
    await on.settle();
    expect(left(on, 'n1')).toEqual(['p2', 'p3']);
  });

  it('prefers the node whose victims are less important', async () => {
    const on = await lab(2);
    await on.pod('a', { cpu: '4' }, priority(7));
    await on.settle();
    await on.pod('b', { cpu: '4' }, priority(3));
    await on.settle();
    await on.pod('high', { cpu: '1' }, priority(10));
    await on.settle();
    expect(on.get('a')?.metadata.deletionTimestamp).toBeUndefined();
    expect(on.get('b')?.metadata.deletionTimestamp).toBeDefined();
  });

  it('leaves other nominations alone where room is being made already', async () => {
    const on = await lab(1);
    await on.pod('low', { cpu: '4' });
    await on.settle();
    await on.pod('mid', { cpu: '4' }, priority(5));
    await on.settle();
    expect(on.get('mid')?.status?.nominatedNodeName).toBe('n1');
    await on.pod('high', { cpu: '4' }, priority(10));
    await on.settle();
    expect(on.get('high')?.status?.nominatedNodeName).toBe('n1');
    expect(on.get('mid')?.status?.nominatedNodeName).toBe('n1');
  });

  it('spares what a disruption budget protects, where it can', async () => {
    const on = await lab(2);
    await on.cluster.create('policy/poddisruptionbudgets', {
      metadata: { name: 'guard', namespace: 'default' },
      spec: { selector: { matchLabels: { app: 'guarded' } } },
      status: {},
    } as never);
    await on.pod('guarded', { cpu: '4' }, priority(1), { app: 'guarded' });
    await on.settle();
    await on.pod('free', { cpu: '4' }, priority(2));
    await on.settle();
    await on.pod('high', { cpu: '4' }, priority(10));
    await on.settle();
    expect(on.get('guarded')?.metadata.deletionTimestamp).toBeUndefined();
    expect(on.get('free')?.metadata.deletionTimestamp).toBeDefined();
  });

  it('makes room past an anti-affinity', async () => {
    const on = await lab(1);
    await on.pod('low', {}, priority(0), { app: 'noisy' });
    await on.settle();
    const term = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'noisy' } } };
    await on.pod(
      'high',
      {},
      priority(10, { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } }),
    );
    await on.settle();
    expect(on.get('high')?.status?.nominatedNodeName).toBe('n1');
    await on.remove('low');
    await on.settle();
    expect(on.nodeOf('high')).toBe('n1');
  });
});
