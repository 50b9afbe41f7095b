/** Routes to the pods of other nodes, where nodes reach each other directly. */
import { isIPv4 } from 'node:net';
import type { Node } from '../../src/generated/types/core.v1.ts';
import type { AgentContext, Running } from '../types.ts';
import { contains } from './cidr.ts';
import { run } from './run.ts';

/** Marks routes as ours, so that what an earlier life of the agent left is found. */
const PROTOCOL = '190';
const DEFAULT_CLUSTER_CIDR = '10.244.0.0/16';

export interface Route {
  cidr: string;
  via: string;
}

/**
 * The route to a node's pods. Undefined for a node without pods of its own, and for one that claims addresses outside the cluster's
 * pods: a node says itself who it is.
 */
export function routeTo({ metadata, spec, status }: Node, clusterCidr: string): Route | undefined {
  const cidr = spec?.podCIDR ?? '';
  const via = status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '';
  if (metadata.labels?.['zeroplane.dev/simulated'] === 'true') return undefined;
  if (!contains(clusterCidr, cidr) || !isIPv4(via) || contains(clusterCidr, `${via}/32`)) return undefined;
  return { cidr, via };
}

/** Keeps a route to each other node's pod CIDR by its InternalIP; those of nodes that are gone are removed. */
export function startRoutes(context: AgentContext): Running {
  const { informers, nodeName, log } = context;
  const clusterCidr = context.cluster.clusterCidr || DEFAULT_CLUSTER_CIDR;
  const nodes = informers.get<Node>('core/nodes');
  const routes = new Map<string, Route>();
  let working: Promise<void> = Promise.resolve();
  const warned = new Set<string>();
  const queue = (work: () => Promise<unknown>): void => {
    working = working.then(work).then(
      () => {},
      (error: unknown) => log.warn('routes could not be brought up to date', { error }),
    );
  };
  const add = async (name: string, route: Route): Promise<void> => {
    try {
      await run('ip', ['route', 'replace', route.cidr, 'via', route.via, 'proto', PROTOCOL]);
      warned.delete(name);
    } catch (error) {
      // A node behind another network is not reached this way. Tried again with the node's next heartbeat, said once.
      if (routes.get(name) === route) routes.delete(name);
      if (!warned.has(name)) log.warn('no route to a node', { node: name, error });
      warned.add(name);
    }
  };
  const drop = ({ cidr }: Route): void => {
    // Another node may have taken the range over meanwhile.
    const still = [...routes.values()].some((other) => other.cidr === cidr);
    if (!still) queue(() => run('ip', ['route', 'del', cidr, 'proto', PROTOCOL]).catch(() => {}));
  };
  const put = (name: string, wanted: Route | undefined): void => {
    const had = routes.get(name);
    if (had?.cidr === wanted?.cidr && had?.via === wanted?.via) return;
    if (wanted === undefined) routes.delete(name);
    else routes.set(name, wanted);
    if (had !== undefined && had.cidr !== wanted?.cidr) drop(had);
    if (wanted !== undefined) queue(() => add(name, wanted));
  };
  const unsubscribe = nodes.subscribe(({ type, object }) => {
    const { name } = object.metadata;
    if (name !== nodeName) put(name, type === 'DELETED' ? undefined : routeTo(object, clusterCidr));
  });
  void nodes.synced.then(() => queue(() => removeStale(routes)));
  return {
    async stop({ keep } = { keep: false }) {
      unsubscribe();
      // Those that stay are found by the next agent, by their mark.
      if (!keep) for (const name of [...routes.keys()]) put(name, undefined);
      await working;
    },
  };
}

/** Removes routes of ours to nodes that went while no agent ran. */
async function removeStale(routes: ReadonlyMap<string, Route>): Promise<void> {
  const wanted = new Set([...routes.values()].map(({ cidr }) => cidr));
  const listed = await run('ip', ['-j', 'route', 'show', 'proto', PROTOCOL]);
  const present = JSON.parse(listed || '[]') as { dst: string }[];
  for (const { dst } of present) if (!wanted.has(dst)) await run('ip', ['route', 'del', dst, 'proto', PROTOCOL]);
}
