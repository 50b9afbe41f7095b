/** Subresources that reach a node: exec, attach, portforward, log, proxy. The node's session carries them. */
import { badRequest, notFound } from '../../apimachinery/errors.ts';
import type { Pod, Service } from '../../generated/types/core.v1.ts';
import type { EndpointSlice } from '../../generated/types/discovery.v1.ts';
import { findResource } from '../../resources/index.ts';
import type { Resource } from '../../resources/resource.ts';
import type { Context } from '../context.ts';
import { decodeText } from '../registry/encode.ts';
import { streamNodeProxy, streamPodSubresource } from '../streaming/index.ts';
import { requestKey, storeFor } from './read.ts';

/** exec, attach, portforward, log and proxy of a pod. */
export async function connectPod(context: Context, resource: Resource): Promise<Response> {
  const { request, url, info, around } = context;
  const text = await storeFor(context, resource).get(requestKey(context, resource));
  if (text === null) throw notFound(resource, info.name);
  const pod = decodeText<Pod>(text);
  const node = pod.spec?.nodeName ?? '';
  if (node === '') throw badRequest(`pod ${info.name} does not have a host assigned`);
  return streamPodSubresource(around.nodeSession(info.cluster, node), {
    node,
    pod,
    subresource: info.subresource,
    path: info.rest,
    request,
    url,
  });
}

/** `[scheme:]name[:port]`, as proxy paths name their target. */
function proxyTarget(name: string): { scheme: string; name: string; port: string } {
  const parts = name.split(':');
  if (parts.length === 3) return { scheme: parts[0] || 'http', name: parts[1] as string, port: parts[2] as string };
  return { scheme: 'http', name: parts[0] as string, port: parts[1] ?? '' };
}

/** HTTP to a Service: to one of its ready endpoints, through that pod's node. */
export async function connectService(context: Context, resource: Resource): Promise<Response> {
  const { request, url, info, around } = context;
  const target = proxyTarget(info.name);
  const text = await storeFor(context, resource).get(`${info.namespace}/${target.name}`);
  if (text === null) throw notFound(resource, target.name);
  const service = decodeText<Service>(text);
  const endpoint = await readyEndpoint(context, service, target.port);
  const pods = findResource('', 'v1', 'pods') as Resource;
  const podText = await storeFor(context, pods).get(`${info.namespace}/${endpoint.pod}`);
  if (podText === null) throw notFound(pods, endpoint.pod);
  const pod = decodeText<Pod>(podText);
  const node = pod.spec?.nodeName ?? '';
  return streamPodSubresource(around.nodeSession(info.cluster, node), {
    node,
    pod,
    subresource: 'proxy',
    scheme: target.scheme,
    port: endpoint.port,
    path: info.rest,
    request,
    url,
  });
}

async function readyEndpoint(context: Context, service: Service, port: string): Promise<{ pod: string; port: number }> {
  const { name, namespace } = service.metadata;
  const wanted = (service.spec?.ports ?? []).find((p) => port === '' || p.name === port || String(p.port) === port);
  const slices = findResource('discovery.k8s.io', 'v1', 'endpointslices') as Resource;
  const page = await storeFor(context, slices).list({
    prefix: `${namespace}/`,
    labelSelector: `kubernetes.io/service-name=${name}`,
  });
  const items = 'status' in page ? [] : (JSON.parse(`[${page.items}]`) as EndpointSlice[]);
  for (const slice of items) {
    const number = slice.ports?.find((p) => (p.name ?? '') === (wanted?.name ?? ''))?.port;
    const ready = slice.endpoints?.find((e) => e.conditions?.ready !== false && e.targetRef?.kind === 'Pod');
    if (number !== undefined && ready?.targetRef?.name !== undefined)
      return { pod: ready.targetRef.name, port: number };
  }
  throw badRequest(`no endpoints available for service "${name}"`);
}

/** HTTP to a node's agent. */
export async function connectNode(context: Context, resource: Resource): Promise<Response> {
  const { request, url, info, around } = context;
  const { name } = proxyTarget(info.name);
  if ((await storeFor(context, resource).get(name)) === null) throw notFound(resource, name);
  return streamNodeProxy(around.nodeSession(info.cluster, name), { node: name, path: info.rest, request, url });
}
