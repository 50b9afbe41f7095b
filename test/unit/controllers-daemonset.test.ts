import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/apimachinery/meta.ts';
import { Simulation, type SimulationOptions } from '../../src/controllers/client/simulation.ts';
import { FailedPodBackoff } from '../../src/controllers/daemonset/backoff.ts';
import { verdictOn } from '../../src/controllers/daemonset/nodes.ts';
import { daemonTolerations } from '../../src/controllers/daemonset/template.ts';
import type { ControllerRevision, DaemonSet } from '../../src/generated/types/apps.v1.ts';
import type { Event, Node, Pod, PodSpec, Taint } from '../../src/generated/types/core.v1.ts';

const DAEMON_SETS = 'apps/daemonsets';
const REVISION = 'controller-revision-hash';
const NODES = ['sim-1', 'sim-2', 'sim-3', 'sim-4'];
const container = (image: string) => ({ containers: [{ name: 'main', image }] });

const daemonSet = (spec: object = {}, podSpec: object = {}): DaemonSet =>
  ({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'ds', namespace: 'ns' },
    spec: {
      revisionHistoryLimit: 10,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      selector: { matchLabels: { app: 'ds' } },
      template: { metadata: { labels: { app: 'ds' } }, spec: { ...container('app:1'), ...podSpec } },
      ...spec,
    },
  }) as unknown as DaemonSet;

const strategy = (maxUnavailable: number | string, maxSurge: number | string): object => ({
  updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable, maxSurge } },
});

async function start(set: DaemonSet, options: SimulationOptions = {}): Promise<Simulation> {
  const simulation = new Simulation(options);
  await simulation.cluster.create('core/namespaces', { metadata: { name: 'ns' } });
  for (const name of NODES) await simulation.addNode(name, { zone: name.replace('sim-', 'z') });
  await simulation.cluster.create(DAEMON_SETS, set);
  await simulation.settle();
  return simulation;
}

const patch = (simulation: Simulation, spec: JsonObject) =>
  simulation.cluster.patch(DAEMON_SETS, 'ns', 'ds', 'merge', { spec });
const roll = (image: string): JsonObject => ({ template: { spec: container(image) } });
const status = (simulation: Simulation) => simulation.cluster.peek<DaemonSet>(DAEMON_SETS, 'ns', 'ds')?.status;
const pods = (simulation: Simulation) => simulation.cluster.all<Pod>('core/pods');
const places = (simulation: Simulation) =>
  pods(simulation)
    .map(({ spec }) => spec?.nodeName)
    .sort();
const images = (simulation: Simulation) =>
  pods(simulation)
    .map(({ spec }) => spec?.containers?.[0]?.image)
    .sort();
const revisions = (simulation: Simulation) =>
  simulation.cluster
    .all<ControllerRevision>('apps/controllerrevisions')
    .sort((a, b) => (a.revision ?? 0) - (b.revision ?? 0));
const events = (simulation: Simulation, reason: string) =>
  simulation.cluster.all<Event>('core/events').filter((event) => event.reason === reason);
const taint = (simulation: Simulation, node: string, taints: Taint[] | null) =>
  simulation.cluster.patch('core/nodes', '', node, 'merge', { spec: { taints } } as unknown as JsonObject);

describe('daemon set', () => {
  it('has a pod on every node, bound by affinity, that tolerates what ails nodes', async () => {
    const simulation = await start(daemonSet());
    expect(places(simulation)).toEqual(NODES);
    const [revision] = revisions(simulation);
    const hash = revision?.metadata.labels?.[REVISION];
    expect(revision).toMatchObject({ revision: 1, metadata: { name: `ds-${hash}`, labels: { app: 'ds' } } });
    for (const pod of pods(simulation)) {
      expect(pod.metadata.labels).toEqual({ app: 'ds', [REVISION]: hash });
      const field = { key: 'metadata.name', operator: 'In', values: [pod.spec?.nodeName] };
      expect(pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution).toEqual({
        nodeSelectorTerms: [{ matchFields: [field] }],
      });
    }
    expect(status(simulation)).toEqual({
      currentNumberScheduled: 4,
      numberMisscheduled: 0,
      desiredNumberScheduled: 4,
      numberReady: 4,
      observedGeneration: 1,
      updatedNumberScheduled: 4,
      numberAvailable: 4,
    });
    expect(events(simulation, 'SuccessfulCreate')).toHaveLength(4);
  });

  it('follows nodes that come, go, and change', async () => {
    const simulation = await start(daemonSet({}, { nodeSelector: { role: 'edge' } }));
    expect(places(simulation)).toEqual([]);
    expect(status(simulation)).toMatchObject({ desiredNumberScheduled: 0, numberReady: 0 });
    const label = (name: string, role: string | null) =>
      simulation.cluster.patch('core/nodes', '', name, 'merge', { metadata: { labels: { role } } });
    await label('sim-2', 'edge');
    await simulation.addNode('sim-9', { role: 'edge' });
    await simulation.settle();
    expect(places(simulation)).toEqual(['sim-2', 'sim-9']);
    await label('sim-2', null);
    await simulation.settle();
    expect(places(simulation)).toEqual(['sim-9']);
    await simulation.cluster.delete('core/nodes', '', 'sim-9');
    await simulation.settle();
    expect(status(simulation)).toMatchObject({ desiredNumberScheduled: 0, currentNumberScheduled: 0 });
  });

  it('takes no notice of a node where its pod may stay', async () => {
    const simulation = await start(daemonSet());
    const before = status(simulation);
    await taint(simulation, 'sim-1', [{ key: 'a', effect: 'NoSchedule' }]);
    await simulation.settle();
    expect(status(simulation)).toEqual(before);
    await taint(simulation, 'sim-2', [{ key: 'a', effect: 'NoExecute' }]);
    await simulation.settle();
    expect(status(simulation)).toMatchObject({ desiredNumberScheduled: 2, numberMisscheduled: 1 });
    // What is misscheduled is looked at again with every change of its node.
    await taint(simulation, 'sim-1', null);
    await simulation.settle();
    expect(status(simulation)).toMatchObject({ desiredNumberScheduled: 3, numberMisscheduled: 0 });
  });

  it('keeps away from tainted nodes, and leaves them when the taint says so', async () => {
    const simulation = await start(daemonSet());
    await taint(simulation, 'sim-1', [{ key: 'a', effect: 'NoSchedule' }]);
    await taint(simulation, 'sim-2', [{ key: 'a', effect: 'NoExecute' }]);
    await simulation.settle();
    expect(places(simulation)).toEqual(['sim-1', 'sim-3', 'sim-4']);
    expect(status(simulation)).toMatchObject({ desiredNumberScheduled: 2, numberMisscheduled: 1 });
    await taint(simulation, 'sim-2', null);
    await simulation.settle();
    expect(places(simulation)).toEqual(NODES);
  });

  it.each([
    ['one at a time', strategy(1, 0), 1, 0],
    ['two at a time', strategy(2, 0), 2, 0],
    ['half of them', strategy('50%', 0), 2, 0],
    ['by surge', strategy(0, 1), 0, 1],
    ['by a surge of half', strategy(0, '50%'), 0, 2],
  ])('rolls %s', async (_, spec, unavailable, extra) => {
    const broken = (pod: Pod): boolean => pod.spec?.containers?.[0]?.image === 'broken';
    const simulation = await start(daemonSet(spec), { runs: (pod) => !broken(pod) });
    await patch(simulation, roll('broken'));
    await simulation.settle();
    expect(images(simulation).filter((image) => image === 'app:1')).toHaveLength(4 - unavailable);
    expect(images(simulation)).toHaveLength(4 + extra);
    await patch(simulation, roll('app:3'));
    await simulation.settle();
    expect(images(simulation)).toEqual(Array(4).fill('app:3'));
    expect(places(simulation)).toEqual(NODES);
    expect(status(simulation)).toMatchObject({ updatedNumberScheduled: 4, numberAvailable: 4 });
    expect(revisions(simulation).map(({ revision }) => revision)).toEqual([1, 2, 3]);
  });

  it('leaves pods to whoever deletes them, with OnDelete', async () => {
    const simulation = await start(daemonSet({ updateStrategy: { type: 'OnDelete' } }));
    await patch(simulation, roll('app:2'));
    await simulation.settle();
    expect(images(simulation)).toEqual(Array(4).fill('app:1'));
    expect(status(simulation)).toMatchObject({ numberAvailable: 4 });
    expect(status(simulation)).not.toHaveProperty('updatedNumberScheduled');
    await simulation.cluster.delete('core/pods', 'ns', pods(simulation)[0]?.metadata.name ?? '');
    await simulation.settle();
    expect(images(simulation)).toEqual(['app:1', 'app:1', 'app:1', 'app:2']);
  });

  it('rolls back to a revision that it had, and forgets the oldest', async () => {
    const simulation = await start(daemonSet({ revisionHistoryLimit: 1 }));
    for (const image of ['app:2', 'app:1', 'app:3']) {
      await patch(simulation, roll(image));
      await simulation.settle();
    }
    expect(images(simulation)).toEqual(Array(4).fill('app:3'));
    expect(revisions(simulation).map(({ revision }) => revision)).toEqual([3, 4]);
  });

  it('rolls back without touching pods that were not rolled yet', async () => {
    const broken = (pod: Pod): boolean => pod.spec?.containers?.[0]?.image === 'broken';
    const simulation = await start(daemonSet(), { runs: (pod) => !broken(pod) });
    await patch(simulation, roll('broken'));
    await simulation.settle();
    const running = () => pods(simulation).filter((pod) => !broken(pod));
    const untouched = running().map(({ metadata }) => metadata.uid);
    expect(untouched).toHaveLength(3);
    await patch(simulation, roll('app:1'));
    await simulation.settle();
    expect(running()).toHaveLength(4);
    expect(running().map(({ metadata }) => metadata.uid)).toEqual(expect.arrayContaining(untouched));
  });

  it('goes on from whatever revisions others have made and deleted', async () => {
    const simulation = await start(daemonSet());
    const { cluster } = simulation;
    const [first] = revisions(simulation);
    const { labels, ownerReferences } = first?.metadata ?? {};
    const copy = {
      metadata: { name: 'copy', namespace: 'ns', labels, ownerReferences },
      data: first?.data,
      revision: 2,
    };
    await cluster.create('apps/controllerrevisions', copy as ControllerRevision);
    await cluster.delete('apps/controllerrevisions', 'ns', first?.metadata.name ?? '');
    await simulation.settle();
    const uids = pods(simulation).map(({ metadata }) => metadata.uid);
    expect(revisions(simulation).map(({ metadata }) => metadata.name)).toEqual(['copy']);
    await cluster.patch('apps/daemonsets', 'ns', 'ds', 'merge', { metadata: { annotations: { touched: 'yes' } } });
    await simulation.settle();
    expect(pods(simulation).map(({ metadata }) => metadata.uid)).toEqual(uids);
    await patch(simulation, roll('app:2'));
    await simulation.settle();
    expect(revisions(simulation).map(({ revision }) => revision)).toEqual([2, 3]);
  });

  it('counts on a pod when it has been ready for minReadySeconds', async () => {
    const simulation = await start(daemonSet({ minReadySeconds: 30 }));
    expect(status(simulation)).toMatchObject({ numberReady: 4, numberUnavailable: 4 });
    await simulation.settle(60_000);
    expect(status(simulation)).toMatchObject({ numberReady: 4, numberAvailable: 4 });
    await patch(simulation, roll('app:2'));
    await simulation.settle(35_000);
    expect(images(simulation)).toEqual(['app:1', 'app:1', 'app:2', 'app:2']);
  });

  it('replaces pods that failed, ever more slowly, and those that ended', async () => {
    const simulation = await start(daemonSet());
    const end = (node: string, phase: string) => {
      const pod = pods(simulation).find(({ spec }) => spec?.nodeName === node);
      return simulation.cluster.patch(
        'core/pods',
        'ns',
        pod?.metadata.name ?? '',
        'merge',
        { status: { phase } },
        'status',
      );
    };
    const failed = () => pods(simulation).filter(({ status }) => status?.phase === 'Failed').length;
    await end('sim-1', 'Failed');
    await end('sim-2', 'Succeeded');
    await simulation.settle(100);
    expect(failed()).toBe(0);
    expect(events(simulation, 'FailedDaemonPod')[0]).toMatchObject({
      type: 'Warning',
      message: expect.stringMatching(/^Found failed daemon pod ns\/ds-\w{5} on node sim-1, will try to kill it$/),
    });
    expect(events(simulation, 'SucceededDaemonPod')[0]).toMatchObject({ type: 'Normal' });
    await end('sim-1', 'Failed');
    await simulation.settle(100);
    expect(failed()).toBe(1);
    await simulation.settle(2_000);
    expect(failed()).toBe(0);
    expect(places(simulation)).toEqual(NODES);
  });

  it('refuses to select all pods', async () => {
    const simulation = await start(daemonSet({ selector: {} }));
    expect(places(simulation)).toEqual([]);
    expect(events(simulation, 'SelectingAll')).toHaveLength(1);
  });

  it('adopts and releases pods by its selector', async () => {
    const simulation = await start(daemonSet());
    const before = pods(simulation).map(({ metadata }) => metadata.uid);
    await simulation.cluster.delete(DAEMON_SETS, 'ns', 'ds', { propagationPolicy: 'Orphan' });
    await simulation.settle();
    await simulation.cluster.create(DAEMON_SETS, daemonSet());
    await simulation.settle();
    expect(pods(simulation).map(({ metadata }) => metadata.uid)).toEqual(before);
    const [first] = pods(simulation);
    const labels = { app: 'other' };
    await simulation.cluster.patch('core/pods', 'ns', first?.metadata.name ?? '', 'merge', { metadata: { labels } });
    await simulation.settle();
    expect(places(simulation)).toHaveLength(5);
  });
});

describe('the nodes of a daemon set', () => {
  const node = (labels: Record<string, string>, ...taints: Taint[]): Node => ({
    metadata: { name: 'n', labels },
    spec: { taints },
  });
  const required = (...nodeSelectorTerms: object[]): object => ({
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
  });
  const expression = (operator: string, ...values: string[]): object => ({
    matchExpressions: [{ key: 'k', operator, values }],
  });
  const field = (name: string): object => ({ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] });
  it.each<[string, object, Node, string]>([
    ['any', {}, node({}), 'run stay'],
    ['its name', { nodeName: 'n' }, node({}), 'run stay'],
    ['another name', { nodeName: 'm' }, node({}), ''],
    ['its label', { nodeSelector: { k: 'v' } }, node({ k: 'v' }), 'run stay'],
    ['no such label', { nodeSelector: { constructor: 'v' } }, node({}), ''],
    ['In', required(expression('In', 'a', 'b')), node({ k: 'b' }), 'run stay'],
    ['NotIn', required(expression('NotIn', 'a', 'b')), node({ k: 'b' }), ''],
    ['NotIn without the label', required(expression('NotIn', 'a')), node({}), 'run stay'],
    ['Exists', required(expression('Exists')), node({ k: '' }), 'run stay'],
    ['DoesNotExist', required(expression('DoesNotExist')), node({ k: '' }), ''],
    ['Gt', required(expression('Gt', '3')), node({ k: '10' }), 'run stay'],
    ['Lt', required(expression('Lt', '3')), node({ k: '10' }), ''],
    ['an operator that is none', required(expression('Like', 'b')), node({ k: 'b' }), ''],
    ['no term', required(), node({}), ''],
    ['an empty term', required({}), node({}), ''],
    ['one of two terms', required(field('m'), field('n')), node({}), 'run stay'],
    ['NoSchedule', {}, node({}, { key: 'a', effect: 'NoSchedule' }), 'stay'],
    ['NoExecute', {}, node({}, { key: 'a', effect: 'NoExecute' }), ''],
    ['PreferNoSchedule', {}, node({}, { key: 'a', effect: 'PreferNoSchedule' }), 'run stay'],
    ['not-ready', {}, node({}, { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' }), 'run stay'],
    ['not-ready for scheduling', {}, node({}, { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }), 'stay'],
    ['cordoned', {}, node({}, { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }), 'run stay'],
    ['no network', {}, node({}, { key: 'node.kubernetes.io/network-unavailable', effect: 'NoSchedule' }), 'stay'],
    [
      'no network, which is the host’s',
      { hostNetwork: true },
      node({}, { key: 'node.kubernetes.io/network-unavailable', effect: 'NoSchedule' }),
      'run stay',
    ],
    [
      'a toleration',
      { tolerations: [{ operator: 'Exists' }] },
      node({}, { key: 'a', effect: 'NoExecute' }),
      'run stay',
    ],
  ])('%s', (_, spec, target, expected) => {
    const verdict = verdictOn(daemonSet({}, spec), target);
    expect(
      Object.entries(verdict)
        .filter(([, holds]) => holds)
        .map(([name]) => name)
        .join(' '),
    ).toBe(expected);
  });

  it('tolerations of the template come first, and are not doubled', () => {
    const own = [
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 },
    ];
    const tolerations = daemonTolerations({ tolerations: [...own, { key: 'x' }] } as PodSpec);
    expect(tolerations).toHaveLength(7);
    expect(tolerations.slice(0, 2)).toEqual([
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
      { key: 'x' },
    ]);
  });

  it('the wait for a pod that fails doubles, up to a quarter of an hour, and is forgotten', () => {
    const backoff = new FailedPodBackoff();
    let at = 0;
    const waits = Array.from({ length: 13 }, () => {
      expect(backoff.wait('k', at)).toBe(0);
      const wait = backoff.wait('k', at);
      at += wait;
      return wait / 1000;
    });
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
    expect(backoff.wait('other', at)).toBe(0);
    at += 1_900_000;
    expect(backoff.wait('k', at)).toBe(0);
    expect(backoff.wait('k', at)).toBe(1000);
  });
});
