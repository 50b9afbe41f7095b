/** Namespaces that go take with them what extension API servers have in them. */
import { describe, expect, it } from 'vitest';
import { Simulation } from '../../src/controllers/client/simulation.ts';
import { namespaceController } from '../../src/controllers/namespace/index.ts';
import type { APIService } from '../../src/generated/types/apiregistration.v1.ts';
import type { Namespace } from '../../src/generated/types/core.v1.ts';

const GROUP = 'wardle.example.com';
const ALL = ['create', 'delete', 'deletecollection', 'get', 'list'];

/** An extension API server with two flunders in `ns` and one elsewhere, in two versions; `verbs`: what it can do with them. */
class Extension {
  readonly flunders = new Map<string, string[]>([
    ['ns/a', []],
    ['ns/b', []],
    ['other/a', []],
  ]);
  readonly asked: string[] = [];
  isUp = true;
  readonly verbs: string[];

  constructor(verbs: string[]) {
    this.verbs = verbs;
  }

  answer = ({ spec }: APIService, path: string, method = 'GET'): Promise<{ status: number; body: string }> => {
    const said = (status: number, body: object) => Promise.resolve({ status, body: JSON.stringify(body) });
    if (!this.isUp) return said(503, {});
    const [where = ''] = path.split('?');
    const [, , , , , namespace = '', , name] = where.split('/');
    if (namespace === '') {
      const flunders = { name: 'flunders', namespaced: true, verbs: this.verbs };
      const others = [
        { name: 'fischers', namespaced: false, verbs: ALL },
        { name: 'flunders/status', namespaced: true, verbs: ALL },
        { name: 'readings', namespaced: true, verbs: ['get', 'list'] },
      ];
      return said(200, { kind: 'APIResourceList', resources: [flunders, ...others] });
    }
    this.asked.push(`${method} ${spec?.version} ${path.split('/').slice(6).join('/')}`);
    const here = [...this.flunders.keys()].filter((key) => key.startsWith(`${namespace}/${name ?? ''}`));
    if (method === 'DELETE') {
      for (const key of here) if (this.flunders.get(key)?.length === 0) this.flunders.delete(key);
      return said(200, { kind: 'Status', status: 'Success' });
    }
    const items = here.map((key) => ({ metadata: { name: key.split('/')[1], finalizers: this.flunders.get(key) } }));
    return said(200, { kind: 'FlunderList', items });
  };
}

/** A cluster whose namespace `ns` is being deleted, as it is soon after. */
async function deleted(extension: Extension): Promise<Simulation> {
  const simulation = new Simulation({ controllers: [namespaceController], askExtension: extension.answer });
  for (const [version, versionPriority] of [
    ['v1alpha1', 10],
    ['v1beta1', 20],
  ] as const) {
    const service = { namespace: 'kube-system', name: 'api' };
    await simulation.cluster.create<APIService>('apiregistration.k8s.io/apiservices', {
      metadata: { name: `${version}.${GROUP}` },
      spec: { group: GROUP, version, versionPriority, groupPriorityMinimum: 1000, service },
    });
  }
  await simulation.cluster.create('core/namespaces', { metadata: { name: 'ns' } });
  await simulation.cluster.delete('core/namespaces', '', 'ns');
  await simulation.settle();
  return simulation;
}

const namespaceIn = ({ cluster }: Simulation) => cluster.peek<Namespace>('core/namespaces', '', 'ns');
const conditionIn = (simulation: Simulation, type: string) => {
  const found = namespaceIn(simulation)?.status?.conditions?.find((condition) => condition.type === type);
  return `${found?.status} ${found?.reason}: ${found?.message}`;
};

describe('objects of extension API servers', () => {
  it.each([
    [
      'at once, in the version that is preferred',
      ALL,
      [
        'GET v1beta1 flunders?limit=500',
        'DELETE v1beta1 flunders?propagationPolicy=Background',
        'GET v1beta1 flunders?limit=500',
      ],
    ],
    [
      'one by one where the server has no other way',
      ['list', 'delete'],
      [
        'GET v1beta1 flunders?limit=500',
        'DELETE v1beta1 flunders/a?propagationPolicy=Background',
        'DELETE v1beta1 flunders/b?propagationPolicy=Background',
        'GET v1beta1 flunders?limit=500',
      ],
    ],
  ])('are deleted with their namespace: %s', async (_, verbs, asked) => {
    const extension = new Extension(verbs);
    const simulation = await deleted(extension);
    expect(extension.asked).toEqual(asked);
    expect([...extension.flunders.keys()]).toEqual(['other/a']);
    expect(namespaceIn(simulation)).toBeUndefined();
  });

  it('hold it while they have finalizers', async () => {
    const extension = new Extension(ALL);
    extension.flunders.set('ns/b', ['example.com/hold']);
    const simulation = await deleted(extension);
    expect(conditionIn(simulation, 'NamespaceContentRemaining')).toBe(
      `True SomeResourcesRemain: Some resources are remaining: flunders.${GROUP} has 1 resource instances`,
    );
    extension.flunders.set('ns/b', []);
    await simulation.settle(120_000);
    expect(namespaceIn(simulation)).toBeUndefined();
  });

  it('hold it while nobody can say whether there are some', async () => {
    const extension = new Extension(ALL);
    extension.isUp = false;
    const simulation = await deleted(extension);
    const stale = ['v1alpha1', 'v1beta1']
      .map((version) => `${GROUP}/${version}: stale GroupVersion discovery: ${GROUP}/${version}`)
      .join(', ');
    expect(conditionIn(simulation, 'NamespaceDeletionDiscoveryFailure')).toBe(
      `True DiscoveryFailed: Discovery failed for some groups, 2 failing: unable to retrieve the complete list of server APIs: ${stale}`,
    );
    extension.isUp = true;
    await simulation.settle(120_000);
    expect([...extension.flunders.keys()]).toEqual(['other/a']);
    expect(namespaceIn(simulation)).toBeUndefined();
  });
});
