/** Where a Service can be reached, and through which node. */
import { serviceUnavailable } from '../../apimachinery/errors.ts';
import type { Service } from '../../generated/types/core.v1.ts';
import type { EndpointSlice } from '../../generated/types/discovery.v1.ts';
import { type ClusterReach, listed, readyNodes, shuffled } from './ready-nodes.ts';

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
    return (await readyNodes(reach, cluster)).map((node) => ({ node, host: spec.externalName ?? '', port }));
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
  const anywhere = found.some(({ nodeName }) => nodeName === undefined) ? await readyNodes(reach, cluster) : [];
  return shuffled(found).flatMap(({ host, port: number, nodeName }) =>
    (nodeName === undefined ? anywhere : [nodeName]).map((node) => ({ node, host, port: number })),
  );
}
