/** Roll-outs in which a write fails, or is followed by the loss of the controllers: whichever it is, the end is the same. */
import { describe, expect, it, vi } from 'vitest';
import type { Client } from '../../src/apimachinery/client.ts';
import type { JsonObject, KubeObject } from '../../src/apimachinery/meta.ts';
import { Simulation } from '../../src/controllers/client/simulation.ts';
import type { Pod } from '../../src/generated/types/core.v1.ts';

type Fault = 'refused' | 'unanswered';
const WRITES = ['create', 'update', 'patch', 'delete'] as const;

/** Counts the controllers' writes, events aside, and lets one fail: before it was done, or after. */
class Interruption {
  writes = 0;
  readonly at: number;
  readonly fault: Fault;
  happened: () => void = () => {};

  constructor(at = 0, fault: Fault = 'refused') {
    this.at = at;
    this.fault = fault;
  }

  between(client: Client): Client {
    const disturbed = <A extends [string, ...unknown[]], R>(write: (...request: A) => Promise<R>) => {
      return async (...request: A): Promise<R> => {
        if (request[0] === 'core/events' || ++this.writes !== this.at) return write(...request);
        this.happened();
        if (this.fault === 'unanswered') await write(...request);
        throw new Error('interrupted');
      };
    };
    const writes = WRITES.map((method) => [method, disturbed(client[method].bind(client) as never)]);
    return { get: client.get.bind(client), list: client.list.bind(client), ...Object.fromEntries(writes) };
  }
}

const template = (image: string) => ({ spec: { containers: [{ name: 'main', image }] } });

interface Story {
  resource: string;
  spec: JsonObject;
  patches: JsonObject[];
}

const STORIES: Record<string, Story> = {
  deployment: {
    resource: 'apps/deployments',
    spec: {
      replicas: 3,
      revisionHistoryLimit: 1,
      progressDeadlineSeconds: 600,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } },
    },
    patches: [{ template: template('app:2') }, { replicas: 2, template: template('app:3') }],
  },
  'recreated deployment': {
    resource: 'apps/deployments',
    spec: { replicas: 2, revisionHistoryLimit: 10, progressDeadlineSeconds: 600, strategy: { type: 'Recreate' } },
    patches: [{ template: template('app:2') }, { template: template('app:1') }],
  },
  'replica set': {
    resource: 'apps/replicasets',
    spec: { replicas: 3 },
    patches: [{ replicas: 1 }, { replicas: 2 }],
  },
  'stateful set': {
    resource: 'apps/statefulsets',
    spec: {
      replicas: 2,
      revisionHistoryLimit: 0,
      updateStrategy: { type: 'RollingUpdate' },
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: {} }],
      persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete', whenDeleted: 'Delete' },
    },
    patches: [{ template: template('app:2') }, { replicas: 1, template: template('app:3') }, { replicas: 2 }],
  },
  'parallel stateful set': {
    resource: 'apps/statefulsets',
    spec: {
      replicas: 3,
      revisionHistoryLimit: 10,
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
    },
    patches: [{ template: template('app:2') }, { template: template('app:1') }],
  },
  'daemon set': {
    resource: 'apps/daemonsets',
    spec: { revisionHistoryLimit: 0, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 2 } } },
    patches: [{ template: template('app:2') }],
  },
  'daemon set with surge': {
    resource: 'apps/daemonsets',
    spec: {
      revisionHistoryLimit: 10,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    },
    patches: [{ template: template('app:2') }, { template: template('app:1') }],
  },
};

/** Plays a story to its end; when the interruption happens the controllers are lost with all they remember. */
async function play({ resource, spec, patches }: Story, interruption: Interruption): Promise<Simulation> {
  let lost = false;
  const simulation = new Simulation({ between: (client) => interruption.between(client) });
  interruption.happened = () => {
    lost = true;
  };
  const settle = async (): Promise<void> => {
    await simulation.settle(10_000);
    if (!lost) return;
    lost = false;
    simulation.restart();
    await simulation.manager.tick();
    await simulation.settle(10_000);
  };
  await simulation.cluster.create('core/namespaces', { metadata: { name: 'ns' } });
  for (const name of ['sim-1', 'sim-2', 'sim-3']) await simulation.addNode(name);
  const labels = { app: 'it' };
  const whole = {
    metadata: { name: 'it', namespace: 'ns' },
    spec: { ...spec, selector: { matchLabels: labels }, template: { metadata: { labels }, ...template('app:1') } },
  };
  await simulation.cluster.create(resource, whole as KubeObject);
  await settle();
  for (const patch of patches) {
    await simulation.cluster.patch(resource, 'ns', 'it', 'merge', { spec: patch });
    await settle();
  }
  return simulation;
}

/** What is to be the same: how many pods of what, who owns them, the history, and the statuses. */
function outcome(simulation: Simulation): unknown {
  const owners = ({ metadata }: KubeObject) => (metadata.ownerReferences ?? []).map(({ kind }) => kind);
  const statusOf = ({ status, metadata }: KubeObject & { status?: JsonObject }) => {
    const { conditions = [], observedGeneration, ...counts } = status ?? {};
    const settled = (conditions as JsonObject[]).map(({ type, status: value, reason }) => [type, value, reason]).sort();
    return { counts, settled, observed: observedGeneration === metadata.generation };
  };
  const workloads = ['deployments', 'replicasets', 'statefulsets', 'daemonsets'].map((name) =>
    simulation.cluster
      .all<KubeObject & { spec?: { replicas?: number } }>(`apps/${name}`)
      .map((object) => ({ name: object.metadata.name, replicas: object.spec?.replicas, ...statusOf(object) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  );
  return {
    workloads,
    pods: simulation.cluster
      .all<Pod>('core/pods')
      .map((pod) => JSON.stringify([pod.spec?.containers, pod.metadata.labels, owners(pod)]))
      .sort(),
    claims: simulation.cluster
      .all('core/persistentvolumeclaims')
      .map((claim) => JSON.stringify([claim.metadata.name, owners(claim)]))
      .sort(),
    revisions: simulation.cluster
      .all<KubeObject & { revision?: number }>('apps/controllerrevisions')
      .map(({ metadata, revision }) => `${metadata.name} ${revision}`)
      .sort(),
  };
}

describe('interrupted', () => {
  it.each(Object.entries(STORIES))('%s', { timeout: 120_000 }, async (_, story) => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const undisturbed = new Interruption();
    const expected = outcome(await play(story, undisturbed));
    expect(undisturbed.writes).toBeGreaterThan(8);
    for (const fault of ['refused', 'unanswered'] as const) {
      for (let at = 1; at <= undisturbed.writes; at++) {
        const end = outcome(await play(story, new Interruption(at, fault)));
        expect(end, `write ${at} ${fault}`).toEqual(expected);
      }
    }
  });
});
