/** Gives every node a /24 of the cluster's pod addresses. */
import type { Node } from '../../generated/types/core.v1.ts';
import type { Controller } from '../controller.ts';

const NODE_MASK = 24;
/** One key for all nodes: who allocates must be alone. */
const ALL = 'all';

/** `10.244.0.0/16` -> its /24 networks, by number; broken input has none. */
export function subnets(cidr: string): { count: number; at(index: number): string } {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(cidr);
  const [a = 0, b = 0, c = 0, , mask = 32] = (match ?? []).slice(1).map(Number);
  const count = match === null || mask > NODE_MASK ? 0 : 2 ** (NODE_MASK - mask);
  const first = a * 65_536 + b * 256 + c;
  return {
    count,
    at: (index) => {
      const network = first + index;
      return `${Math.floor(network / 65_536)}.${Math.floor(network / 256) % 256}.${network % 256}.0/${NODE_MASK}`;
    },
  };
}

/** Upstream's `node-ipam-controller` with the range allocator. */
export const nodeIpamController: Controller = {
  name: 'cidrAllocator',
  watches: [
    {
      resource: 'core/nodes',
      keys: async (change) => {
        if (change.type === 'DELETED') return [];
        const node = (await change.object()) as Node | undefined;
        return node === undefined || node.spec?.podCIDR ? [] : [ALL];
      },
    },
  ],
  async reconcile(client, _, context) {
    const { items } = await client.list<Node>('core/nodes');
    const used = new Set(items.flatMap(({ spec }) => spec?.podCIDRs ?? (spec?.podCIDR ? [spec.podCIDR] : [])));
    const { count, at } = subnets(context.clusterCidr);
    let next = 0;
    for (const node of items) {
      if (node.spec?.podCIDR || node.metadata.deletionTimestamp !== undefined) continue;
      while (next < count && used.has(at(next))) next++;
      const { name } = node.metadata;
      if (next >= count) {
        const about: Node = { ...node, apiVersion: 'v1', kind: 'Node' };
        context.events.record(about, 'Normal', 'CIDRNotAvailable', `Node ${name} status is now: CIDRNotAvailable`);
        continue;
      }
      const podCIDR = at(next++);
      await client.patch('core/nodes', '', name, 'merge', { spec: { podCIDR, podCIDRs: [podCIDR] } });
    }
    return;
  },
};
