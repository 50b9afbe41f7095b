/** Where a Service can be reached, and through which node. */
import { serviceUnavailable } from '../../apimachinery/errors.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { Node, Service } from '../../generated/types/core.v1.ts';
import type { EndpointSlice } from '../../generated/types/discovery.v1.ts';
import type { ListQuery } from '../../store/types.ts';
import type { Surroundings } from '../context.ts';
import { unwrap } from '../respond.ts';

/** Where the cluster's stores and sessions are. */
export type ClusterReach = Pick<Surroundings, 'store' | 'nodeSession'>;

export interface ServiceTarget {
  namespace: string;
  name: string;
  port: number;
}

export interface Place {
  node: string;
  host: string;
  port: number;
}

/** So many nodes are tried for an endpoint that is on none of them. */
const MOST_NODES = 3;

/**
 * The Service's ready endpoints, each through its own node; what has no node through any. Undefined where there is no such Service.
 * Throws ServiceUnavailable, in the words of upstream's `ResolveEndpoint`, when it has no such port or no endpoints.
 */
export async function candidates(
  reach: ClusterReach,
  cluster: string,
  { namespace, name, port }: ServiceTarget,
): Promise<Place[] | undefined> {
  const text = await reach.store(cluster, 'core/services').get(`${namespace}/${name}`);
  if (text === null) return undefined;
  const { spec } = JSON.parse(text) as Service;
  if (spec?.type === 'ExternalName') {
    return (await someNodes(reach, cluster)).map((node) => ({ node, host: spec.externalName ?? '', port }));
  }
  const declared = spec?.ports?.find((other) => other.port === port);
  if (declared === undefined)
    throw serviceUnavailable(`no service port ${port} found for service ${JSON.stringify(name)}`);
  const labelSelector = `kubernetes.io/service-name=${name}`;
  const slices = await listed<EndpointSlice>(reach, cluster, 'discovery.k8s.io/endpointslices', {
    prefix: `${namespace}/`,
    labelSelector,
  });
  const found = slices.flatMap((slice) => {
    const number = slice.ports?.find((other) => (other.name ?? '') === (declared.name ?? ''))?.port;
    if (number === undefined) return [];
    const ready = (slice.endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
    return ready.flatMap(({ addresses, nodeName }) => {
      const host = addresses?.[0];
      return host === undefined ? [] : [{ host, port: number, nodeName }];
    });
  });
  if (found.length === 0) throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  const anywhere = found.some(({ nodeName }) => nodeName === undefined) ? await someNodes(reach, cluster) : [];
  return shuffled(found).flatMap(({ host, port: number, nodeName }) =>
    (nodeName === undefined ? anywhere : [nodeName]).map((node) => ({ node, host, port: number })),
  );
}

async function someNodes(reach: ClusterReach, cluster: string): Promise<string[]> {
  const nodes = await listed<Node>(reach, cluster, 'core/nodes', { prefix: '' });
  const isReady = ({ status }: Node): boolean =>
    status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
  const names = nodes.filter(isReady).map(({ metadata }) => metadata.name);
  if (names.length === 0) throw serviceUnavailable('no node of the cluster is ready');
  return shuffled(names).slice(0, MOST_NODES);
}

async function listed<T extends KubeObject>(
  reach: ClusterReach,
  cluster: string,
  id: string,
  query: ListQuery,
): Promise<T[]> {
  const { items } = unwrap(await reach.store(cluster, id).list(query));
  return JSON.parse(`[${items}]`) as T[];
}

/** So that no endpoint has all the work. */
function shuffled<T>(list: readonly T[]): T[] {
  const from = Math.floor(Math.random() * list.length);
  return [...list.slice(from), ...list.slice(0, from)];
}
