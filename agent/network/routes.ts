/** Routes to the pods of other nodes, where nodes reach each other directly. */
import type { Node } from '../../src/generated/types/core.v1.ts';
import type { AgentContext, Running } from '../types.ts';
import { run } from './run.ts';

/** Keeps a route to each other node's pod CIDR by its InternalIP; those of nodes that are gone are removed. */
export function startRoutes(context: AgentContext): Running {
  const { informers, nodeName, log } = context;
  const applied = new Map<string, string>();
  const apply = async (name: string, cidr: string, via: string): Promise<void> => {
    const route = `${cidr} ${via}`;
    if (applied.get(name) === route) return;
    applied.set(name, route);
    try {
      await run('ip', ['route', 'replace', cidr, 'via', via]);
    } catch (error) {
      applied.delete(name);
      // A node behind another network is not reached this way.
      log.warn('no route to a node', { node: name, error });
    }
  };
  const remove = async (name: string): Promise<void> => {
    const [cidr = ''] = (applied.get(name) ?? '').split(' ');
    applied.delete(name);
    if (cidr !== '') await run('ip', ['route', 'del', cidr]).catch(() => {});
  };
  const unsubscribe = informers.get<Node>('core/nodes').subscribe(({ type, object }) => {
    const { name } = object.metadata;
    if (name === nodeName) return;
    const cidr = object.spec?.podCIDR;
    const via = object.status?.addresses?.find((a) => a.type === 'InternalIP')?.address;
    if (type === 'DELETED') void remove(name);
    else if (cidr && via && object.metadata.labels?.['zeroplane.dev/simulated'] !== 'true') void apply(name, cidr, via);
  });
  return {
    async stop() {
      unsubscribe();
      await Promise.all([...applied.keys()].map(remove));
    },
  };
}
