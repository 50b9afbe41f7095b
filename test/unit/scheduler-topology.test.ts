import { describe, expect, it } from 'vitest';
import type { Pod, PodAffinityTerm, TopologySpreadConstraint } from '../../src/generated/types/core.v1.ts';
import { SchedulerLab } from '../support/scheduler.ts';

type Spec = Partial<NonNullable<Pod['spec']>>;
const WEB = { app: 'web' };

/** Two zones with two nodes each. */
async function zones(): Promise<SchedulerLab> {
  const lab = new SchedulerLab();
  for (const [name, zone] of [
    ['a1', 'a'],
    ['a2', 'a'],
    ['b1', 'b'],
    ['b2', 'b'],
  ] as const) {
    await lab.node(name, { labels: { zone, 'topology.kubernetes.io/zone': zone } });
  }
  return lab;
}

const zoneOf = (lab: SchedulerLab, name: string): string | undefined => lab.nodeOf(name)?.[0];

const near = (term: Partial<PodAffinityTerm>, topologyKey = 'zone'): Spec => ({
  affinity: {
    podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey, ...term } as PodAffinityTerm] },
  },
});
const apart = (term: Partial<PodAffinityTerm>, topologyKey = 'zone'): Spec => ({
  affinity: {
    podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey, ...term } as PodAffinityTerm] },
  },
});
const web = { labelSelector: { matchLabels: WEB } };

describe('inter-pod affinity', () => {
  it('keeps pods together', async () => {
    const lab = await zones();
    await lab.pod('first', {}, {}, WEB);
    await lab.settle();
    for (let i = 0; i < 6; i++) await lab.pod(`p${i}`, {}, near(web));
    await lab.settle();
    for (let i = 0; i < 6; i++) expect(zoneOf(lab, `p${i}`)).toBe(zoneOf(lab, 'first'));
  });

  it('lets the first of a group that means itself in', async () => {
    const lab = await zones();
    await lab.pod('first', {}, near(web), WEB);
    await lab.pod('second', {}, near(web), WEB);
    await lab.settle();
    expect(zoneOf(lab, 'second')).toBe(zoneOf(lab, 'first'));
  });

  it('waits for the pod it wants to be near', async () => {
    const lab = await zones();
    await lab.pod('p', {}, near(web));
    await lab.settle();
    expect(lab.why('p')).toContain("0/4 nodes are available: 4 node(s) didn't match pod affinity rules.");
    await lab.pod('other', {}, {}, { app: 'other' });
    await lab.after(60_000);
    expect(lab.nodeOf('p')).toBeUndefined();
    await lab.pod('wanted', {}, {}, WEB);
    await lab.settle();
    expect(zoneOf(lab, 'p')).toBe(zoneOf(lab, 'wanted'));
  });

  it('keeps pods apart, both ways', async () => {
    const lab = await zones();
    await lab.pod('loner', {}, apart(web, 'kubernetes.io/hostname'));
    await lab.settle();
    for (let i = 0; i < 8; i++) await lab.pod(`web-${i}`, {}, {}, WEB);
    await lab.settle();
    for (let i = 0; i < 8; i++) expect(lab.nodeOf(`web-${i}`)).not.toBe(lab.nodeOf('loner'));
    await lab.pod('loner-2', {}, apart(web, 'kubernetes.io/hostname'));
    await lab.settle();
    expect(lab.nodeOf('loner-2')).toBe(lab.nodeOf('loner'));
    await lab.pod('loner-3', {}, { ...apart(web, 'zone') });
    await lab.settle();
    expect(lab.why('loner-3')).toContain("4 node(s) didn't match pod anti-affinity rules.");
    await lab.pod(
      'web-9',
      {},
      { nodeName: undefined, nodeSelector: { 'kubernetes.io/hostname': lab.nodeOf('loner') ?? '' } },
      WEB,
    );
    await lab.settle();
    expect(lab.why('web-9')).toContain(
      "1 node(s) didn't satisfy existing pods anti-affinity rules, 3 node(s) didn't match Pod's node affinity/selector",
    );
  });

  it('looks into namespaces by their labels', async () => {
    const lab = await zones();
    await lab.cluster.create('core/namespaces', { metadata: { name: 'shop', labels: { team: 'shop' } } });
    await lab.cluster.create<Pod>('core/pods', {
      metadata: { name: 'there', namespace: 'shop', labels: WEB },
      spec: { nodeName: 'b1', containers: [] },
      status: { phase: 'Running' },
    });
    await lab.pod('here', {}, near({ ...web, namespaceSelector: { matchLabels: { team: 'shop' } } }));
    await lab.pod('nowhere', {}, near({ ...web, namespaceSelector: { matchLabels: { team: 'else' } } }));
    await lab.pod('everywhere', {}, near({ ...web, namespaceSelector: {} }));
    await lab.settle();
    expect(zoneOf(lab, 'here')).toBe('b');
    expect(zoneOf(lab, 'everywhere')).toBe('b');
    expect(lab.nodeOf('nowhere')).toBeUndefined();
  });

  it('follows preferences where it can', async () => {
    const lab = await zones();
    await lab.pod('first', {}, { nodeSelector: { 'kubernetes.io/hostname': 'b2' } }, WEB);
    await lab.settle();
    const preferred = [{ weight: 100, podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', ...web } }];
    await lab.pod(
      'fan',
      {},
      { affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred } } },
    );
    await lab.pod(
      'foe',
      {},
      { affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred } } },
    );
    await lab.settle();
    expect(lab.nodeOf('fan')).toBe('b2');
    expect(lab.nodeOf('foe')).not.toBe('b2');
  });
});

const spread = (more: Partial<TopologySpreadConstraint> = {}): Spec => ({
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule',
      ...web,
      ...more,
    } as TopologySpreadConstraint,
  ],
});

describe('topology spread', () => {
  it('keeps zones even', async () => {
    const lab = await zones();
    for (let i = 0; i < 8; i++) await lab.pod(`p${i}`, {}, spread(), WEB);
    await lab.settle();
    const inA = Array.from({ length: 8 }, (_, i) => zoneOf(lab, `p${i}`)).filter((zone) => zone === 'a');
    expect(inA).toHaveLength(4);
  });

  it.each<[string, Partial<TopologySpreadConstraint>, string]>([
    [
      'a key that no node has',
      { topologyKey: 'rack' },
      "4 node(s) didn't match pod topology spread constraints (missing required label)",
    ],
    ['too few domains', { minDomains: 3 }, "4 node(s) didn't match pod topology spread constraints"],
  ])('refuses for %s', async (_, constraint, why) => {
    const lab = await zones();
    for (const name of ['x', 'y']) await lab.pod(name, {}, spread(), WEB);
    await lab.settle();
    await lab.pod('p', {}, spread(constraint), WEB);
    await lab.settle();
    expect(lab.why('p')).toContain(`0/4 nodes are available: ${why}.`);
  });

  it('leaves out nodes that the pod may not use, as its policies say', async () => {
    const lab = await zones();
    await lab.pod('seed', {}, { nodeSelector: { zone: 'a' } }, WEB);
    await lab.settle();
    // Zone b does not count for a pod that can only be in a.
    await lab.pod('honors', {}, { ...spread(), nodeSelector: { zone: 'a' } }, WEB);
    await lab.settle();
    expect(zoneOf(lab, 'honors')).toBe('a');
    await lab.pod('ignores', {}, { ...spread({ nodeAffinityPolicy: 'Ignore' }), nodeSelector: { zone: 'a' } }, WEB);
    await lab.settle();
    expect(lab.nodeOf('ignores')).toBeUndefined();
  });

  it('counts pods with the same value of a label alone (matchLabelKeys)', async () => {
    const lab = await zones();
    for (let i = 0; i < 3; i++) await lab.pod(`old-${i}`, {}, { nodeSelector: { zone: 'a' } }, { ...WEB, rev: '1' });
    await lab.settle();
    await lab.pod(
      'new',
      {},
      { ...spread({ matchLabelKeys: ['rev'] }), nodeSelector: { zone: 'a' } },
      { ...WEB, rev: '2' },
    );
    await lab.settle();
    expect(zoneOf(lab, 'new')).toBe('a');
  });

  it('spreads the pods of a Service without being asked', async () => {
    const lab = await zones();
    await lab.cluster.create('core/services', {
      metadata: { name: 'web', namespace: 'default' },
      spec: { selector: WEB },
    } as never);
    for (let i = 0; i < 8; i++) await lab.pod(`p${i}`, {}, {}, WEB);
    await lab.settle();
    const counts = Map.groupBy([0, 1, 2, 3, 4, 5, 6, 7], (i) => lab.nodeOf(`p${i}`));
    expect([...counts.values()].map((pods) => pods.length)).toEqual([2, 2, 2, 2]);
  });
});
