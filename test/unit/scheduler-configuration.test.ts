import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { readConfiguration } from '../../src/scheduler/configuration.ts';
import { SchedulerLab } from '../support/scheduler.ts';

const config = (rest: string): string =>
  `apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n${rest}`;

async function two(rest: string): Promise<SchedulerLab> {
  const lab = new SchedulerLab(readConfiguration(config(rest)));
  await lab.node('big', { allocatable: { cpu: '32', memory: '64Gi' } });
  await lab.node('small', { allocatable: { cpu: '4', memory: '8Gi' } });
  return lab;
}

describe('profiles', () => {
  it('are several schedulers, each for the pods that ask for it', async () => {
    const lab = await two('profiles:\n- schedulerName: default-scheduler\n- schedulerName: mine\n');
    await lab.pod('a', {}, { schedulerName: 'mine' });
    await lab.pod('b', {}, { schedulerName: 'another' });
    await lab.pod('c');
    await lab.settle();
    expect(lab.nodeOf('a')).toBeDefined();
    expect(lab.nodeOf('b')).toBeUndefined();
    expect(lab.nodeOf('c')).toBeDefined();
  });

  it('switch plugins off, all of them or at a point', async () => {
    const off = await two('profiles:\n- plugins:\n    multiPoint:\n      disabled: [{name: TaintToleration}]\n');
    await off.node('tainted', { taints: [{ key: 'a', effect: 'NoSchedule' }], labels: { t: '1' } });
    await off.pod('p', {}, { nodeSelector: { t: '1' } });
    await off.settle();
    expect(off.nodeOf('p')).toBe('tainted');
    const filterless = await two('profiles:\n- plugins:\n    filter:\n      disabled: [{name: NodeResourcesFit}]\n');
    await filterless.pod('p', { cpu: '1000' });
    await filterless.settle();
    expect(filterless.nodeOf('p')).toBeDefined();
  });

  it('give plugins arguments and weights', async () => {
    const most = `
profiles:
- pluginConfig:
  - name: NodeResourcesFit
    args: {scoringStrategy: {type: MostAllocated, resources: [{name: cpu, weight: 1}]}}
  plugins:
    score: {disabled: [{name: NodeResourcesBalancedAllocation}], enabled: [{name: NodeResourcesFit, weight: 5}]}
`;
    const lab = await two(most);
    for (let i = 0; i < 3; i++) await lab.pod(`p${i}`, { cpu: '1' });
    await lab.settle();
    expect([0, 1, 2].map((i) => lab.nodeOf(`p${i}`))).toEqual(['small', 'small', 'small']);
  });

  it('add affinity to every pod', async () => {
    const added = `
profiles:
- pluginConfig:
  - name: NodeAffinity
    args:
      addedAffinity:
        requiredDuringSchedulingIgnoredDuringExecution:
          nodeSelectorTerms: [{matchExpressions: [{key: pool, operator: In, values: [x]}]}]
`;
    const lab = await two(added);
    await lab.pod('p');
    await lab.settle();
    expect(lab.why('p')).toContain("2 node(s) didn't match scheduler-enforced node affinity.");
  });

  it.each([
    ['profiles: [{plugins: {filter: {enabled: [{name: Nope}]}}}]', 'there is no plugin "Nope"'],
    ['profiles: [{plugins: {fitler: {}}}]', 'there is no extension point "fitler"'],
    ['profiles: [{}, {}]', 'the same schedulerName'],
    ['profiles: [{plugins: {bind: {disabled: [{name: "*"}]}}}]', 'DefaultBinder cannot be left out'],
    ['extenders: [{urlPrefix: nowhere}]', 'is no URL'],
    ["extenders: [{urlPrefix: 'http://a', prioritizeVerb: p}]", 'weight must be above 0'],
    ["extenders: [{urlPrefix: 'https://a', tlsConfig: {insecure: true}}]", 'there is no tlsConfig here'],
    ["extenders: [{urlPrefix: 'http://a', bindVerb: b}, {urlPrefix: 'http://b', bindVerb: b}]", 'found 2'],
  ])('say what is wrong with %s', (text, problem) => {
    expect(() => readConfiguration(config(text))).toThrow(problem);
  });
});

describe('an extender', () => {
  let server: http.Server | undefined;
  afterEach(() => server?.close());

  /** Answers each verb with what a function makes of the request. */
  async function serve(verbs: Record<string, (body: never) => unknown>): Promise<string> {
    server = http.createServer((request, response) => {
      let text = '';
      request.on('data', (chunk) => {
        text += chunk;
      });
      request.on('end', () => {
        const answer = verbs[request.url?.slice(1) ?? '']?.(JSON.parse(text) as never);
        response.writeHead(answer === undefined ? 500 : 200).end(JSON.stringify(answer));
      });
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('filters, scores and binds', async () => {
    const bound: unknown[] = [];
    const url = await serve({
      filter: ({ NodeNames }: { NodeNames: string[] }) => ({
        NodeNames: NodeNames.filter((name) => name !== 'n1'),
        FailedNodes: { n1: 'not this one' },
      }),
      prioritize: () => [{ host: 'n3', score: 10 }],
      bind: (args) => {
        bound.push(args);
        return {};
      },
    });
    const lab = new SchedulerLab(
      readConfiguration(
        config(
          `extenders: [{urlPrefix: '${url}', filterVerb: filter, prioritizeVerb: prioritize, bindVerb: bind, weight: 5, nodeCacheCapable: true}]`,
        ),
      ),
    );
    for (const name of ['n1', 'n2', 'n3']) await lab.node(name);
    await lab.pod('p');
    await lab.settle();
    expect(bound).toMatchObject([{ PodName: 'p', PodNamespace: 'default', Node: 'n3' }]);
  });

  it('says why not, and does not stand in the way when it may be ignored', async () => {
    const url = await serve({ filter: () => ({ nodenames: [], failedNodes: { n: 'no licence' } }) });
    const lab = new SchedulerLab(
      readConfiguration(config(`extenders: [{urlPrefix: '${url}', filterVerb: filter, nodeCacheCapable: true}]`)),
    );
    await lab.node('n');
    await lab.pod('p');
    await lab.settle();
    expect(lab.why('p')).toContain('0/1 nodes are available: 1 no licence.');
    const ignorable = new SchedulerLab(
      readConfiguration(config(`extenders: [{urlPrefix: '${url}/away', filterVerb: filter, ignorable: true}]`)),
    );
    await ignorable.node('n');
    await ignorable.pod('p');
    await ignorable.settle();
    expect(ignorable.nodeOf('p')).toBe('n');
  });

  it('is given the nodes themselves when it does not know them', async () => {
    const asked: unknown[] = [];
    const url = await serve({
      filter: (args: { Nodes: { items: object[] } }) => {
        asked.push(args);
        return { nodes: { items: args.Nodes.items.slice(1) } };
      },
    });
    const lab = new SchedulerLab(readConfiguration(config(`extenders: [{urlPrefix: '${url}', filterVerb: filter}]`)));
    for (const name of ['n1', 'n2']) await lab.node(name);
    await lab.pod('p');
    await lab.settle();
    expect(asked).toMatchObject([{ Pod: { metadata: { name: 'p' } }, Nodes: { items: [{}, {}] }, NodeNames: null }]);
    expect(lab.nodeOf('p')).toBe('n2');
  });

  it.each([true, false])('has a say about whom a pod preempts, and knows pods by uid alone: %s', async (capable) => {
    const asked: Record<string, unknown>[] = [];
    type Victims = Record<string, { Pods: { UID?: string; metadata?: { uid: string } }[] }>;
    const url = await serve({
      preempt: (args: Record<string, Victims | null>) => {
        asked.push(args);
        const given = args[capable ? 'NodeNameToMetaVictims' : 'NodeNameToVictims']?.['n2']?.Pods[0];
        return { NodeNameToMetaVictims: { n2: { Pods: [{ UID: given?.UID ?? given?.metadata?.uid }] } } };
      },
    });
    const lab = new SchedulerLab(
      readConfiguration(
        config(`extenders: [{urlPrefix: '${url}', preemptVerb: preempt, nodeCacheCapable: ${capable}}]`),
      ),
    );
    for (const node of ['n1', 'n2']) {
      await lab.node(node);
      // By itself the scheduler takes the less important pod, of n1.
      await lab.pod(`on-${node}`, { cpu: '4' }, { nodeName: node, priority: node === 'n1' ? 0 : 5 });
    }
    await lab.pod('important', { cpu: '4' }, { priority: 10 });
    await lab.settle();
    expect(asked[0]).toMatchObject({ Pod: { metadata: { name: 'important' } } });
    expect(asked[0]?.[capable ? 'NodeNameToVictims' : 'NodeNameToMetaVictims']).toBeNull();
    expect(lab.get('on-n1')?.metadata.deletionTimestamp).toBeUndefined();
    expect(lab.events).toContainEqual(expect.objectContaining({ pod: 'on-n2', reason: 'Preempted' }));
  });

  it.each<[string, unknown, boolean, boolean]>([
    ['nothing', {}, false, false],
    ['nobody on a node', { NodeNameToMetaVictims: { n: { Pods: [] } } }, false, false],
    ['a pod that is not there', { NodeNameToMetaVictims: { n: { Pods: [{ UID: 'x' }] } } }, false, false],
    ['a pod that is not there, and may be ignored', { NodeNameToMetaVictims: { n: { Pods: [{}] } } }, true, true],
    ['a node that it was not asked about', { NodeNameToMetaVictims: { other: { Pods: [] } } }, false, false],
  ])('that wants %s preempted', async (_, answer, ignorable, preempts) => {
    const url = await serve({ preempt: () => answer });
    const lab = new SchedulerLab(
      readConfiguration(
        config(
          `extenders: [{urlPrefix: '${url}', preemptVerb: preempt, nodeCacheCapable: true, ignorable: ${ignorable}}]`,
        ),
      ),
    );
    await lab.node('n');
    await lab.pod('low', { cpu: '4' }, { nodeName: 'n' });
    await lab.pod('important', { cpu: '4' }, { priority: 10 });
    await lab.settle();
    expect(lab.events.some(({ reason }) => reason === 'Preempted')).toBe(preempts);
    expect(lab.why('important')).toContain('Insufficient cpu');
  });

  it('alone judges the resources that it manages when it says so', async () => {
    const url = await serve({ filter: ({ NodeNames }: { NodeNames: string[] }) => ({ nodenames: NodeNames }) });
    const managed = (ignored: boolean): string =>
      `extenders: [{urlPrefix: '${url}', filterVerb: filter, nodeCacheCapable: true, managedResources: [{name: example.com/gpu, ignoredByScheduler: ${ignored}}]}]`;
    for (const ignored of [true, false]) {
      const lab = new SchedulerLab(readConfiguration(config(managed(ignored))));
      await lab.node('n');
      await lab.pod('p', { 'example.com/gpu': '1' });
      await lab.settle();
      expect(lab.nodeOf('p')).toBe(ignored ? 'n' : undefined);
    }
  });

  it.each(['null', '7', '[]', '{"nodenames": 5}'])('that answers %s is one that does not answer', async (answer) => {
    const url = await serve({ filter: () => JSON.parse(answer) as unknown });
    const lab = new SchedulerLab(
      readConfiguration(config(`extenders: [{urlPrefix: '${url}', filterVerb: filter, nodeCacheCapable: true}]`)),
    );
    await lab.node('n');
    await lab.pod('p');
    await lab.settle();
    expect(lab.nodeOf('p')).toBeUndefined();
    expect(lab.why('p')).toBeDefined();
  });

  it('is not asked about pods that want nothing of what it manages', async () => {
    const url = await serve({});
    const managed = `extenders: [{urlPrefix: '${url}', filterVerb: filter, managedResources: [{name: example.com/gpu}]}]`;
    const lab = new SchedulerLab(readConfiguration(config(managed)));
    await lab.node('n');
    await lab.pod('p');
    await lab.settle();
    expect(lab.nodeOf('p')).toBe('n');
  });
});
