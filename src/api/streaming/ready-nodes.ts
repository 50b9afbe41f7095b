/** The nodes that can make a request for the API server, where any can. */
import { findCondition } from '../../apimachinery/conditions.ts';
import { serviceUnavailable } from '../../apimachinery/errors.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { Node } from '../../generated/types/core.v1.ts';
import type { ListQuery } from '../../store/types.ts';
import type { Surroundings } from '../context.ts';
import { unwrap } from '../respond.ts';

/** Where the cluster's stores and sessions are. */
export type ClusterReach = Pick<Surroundings, 'store' | 'nodeSession'>;

/** Nobody can. */
export const NO_NODE = 'no node of the cluster is ready';
/** So many are tried: a node may be ready without a session, as a simulated one is. */
const MOST_NODES = 10;
/** For so long, in ms, nodes are not looked up again: a webhook may be asked with every write. */
const KEPT_MS = 5000;

const known = new WeakMap<ClusterReach, Map<string, { names: string[]; until: number }>>();

/** Some of those that are Ready, as of a few seconds ago, in an order that spreads the work. Throws ServiceUnavailable where there is none. */
export async function readyNodes(reach: ClusterReach, cluster: string): Promise<string[]> {
  const clusters = known.get(reach) ?? new Map<string, { names: string[]; until: number }>();
  known.set(reach, clusters);
  const kept = clusters.get(cluster);
  if (kept !== undefined && kept.until > Date.now()) return shuffled(kept.names).slice(0, MOST_NODES);
  const nodes = await listed<Node>(reach, cluster, 'core/nodes', { prefix: '' });
  const names = nodes.filter(isReady).map(({ metadata }) => metadata.name);
  if (names.length === 0) throw serviceUnavailable(NO_NODE);
  clusters.set(cluster, { names, until: Date.now() + KEPT_MS });
  return shuffled(names).slice(0, MOST_NODES);
}

/** To be called when none of them was connected: others may be by now. */
export function forgetReady(reach: ClusterReach, cluster: string): void {
  known.get(reach)?.delete(cluster);
}

const isReady = ({ status }: Node): boolean => findCondition(status?.conditions, 'Ready')?.status === 'True';

/** All objects of a store that a query selects. Throws what the store refuses. */
export async function listed<T extends KubeObject>(
  reach: ClusterReach,
  cluster: string,
  id: string,
  query: ListQuery,
): Promise<T[]> {
  const { items } = unwrap(await reach.store(cluster, id).list(query));
  return JSON.parse(`[${items}]`) as T[];
}

/** So that none has all the work. */
export function shuffled<T>(list: readonly T[]): T[] {
  const from = Math.floor(Math.random() * list.length);
  return [...list.slice(from), ...list.slice(0, from)];
}
