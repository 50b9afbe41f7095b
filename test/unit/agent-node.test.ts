import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { NodeAgent, type NodeAgentOptions } from '../../agent/kubelet/node-agent.ts';
import type { Json, KubeObject } from '../../src/apimachinery/meta.ts';
import { FakeCluster } from '../../src/controllers/client/fake.ts';
import type { Node } from '../../src/generated/types/core.v1.ts';

type Subscriber = (change: { type: string; object: Node }) => void;

it('a node that is believed dead says at once that it is not', async () => {
  const cluster = new FakeCluster();
  const subscribers = new Set<Subscriber>();
  cluster.onChange = () => {
    const node = read();
    if (node !== undefined) for (const tell of subscribers) tell({ type: 'MODIFIED', object: node });
  };
  const read = () => cluster.peek<Node>('core/nodes', '', 'n');
  const ready = () => read()?.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  const informer = {
    subscribe(tell: Subscriber) {
      subscribers.add(tell);
      return () => subscribers.delete(tell);
    },
  };
  const log = { warn() {}, info() {}, debug() {}, error() {} };
  const agent = new NodeAgent({
    context: {
      client: cluster,
      nodeName: 'n',
      nodeIp: '10.0.0.1',
      dataDir: tmpdir(),
      log,
      cri: { listImages: () => Promise.resolve([]), version: () => Promise.resolve(undefined) },
      informers: { get: () => informer },
    },
    capacity: { cpu: 1, memory: 1 << 30, 'ephemeral-storage': 1 << 30, pods: 110 },
    labels: {},
    events: { record() {} },
    problem: () => Promise.resolve(undefined),
  } as unknown as NodeAgentOptions);
  try {
    await expect.poll(ready).toBe('True');
    const conditions = [{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' }] as unknown as Json;
    await cluster.patch<KubeObject>('core/nodes', '', 'n', 'merge', { status: { conditions } }, 'status');
    expect(ready()).toBe('Unknown');
    await expect.poll(ready).toBe('True');
  } finally {
    await agent.stop();
  }
  expect(subscribers.size).toBe(0);
});
