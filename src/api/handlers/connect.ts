/** Subresources that reach a node: exec, attach, portforward, log, proxy. The node's session carries them. */
import { badRequest, notFound, serviceUnavailable } from '../../apimachinery/errors.ts';
import type { Pod, Service } from '../../generated/types/core.v1.ts';
import type { EndpointSlice } from '../../generated/types/discovery.v1.ts';
import { findResource } from '../../resources/index.ts';
import type { Resource } from '../../resources/resource.ts';
import { admitConnect } from '../admission/connect.ts';
import type { Context } from '../context.ts';
import { decodeText } from '../registry/encode.ts';
import { streamNodeProxy, streamPodSubresource } from '../streaming/index.ts';
import { storeFor } from './read.ts';

/** exec, attach, portforward, log and proxy of a pod. */
export async function connectPod(context: Context, resource: Resource): Promise<Response> {
  const { request, info, around } = context;
  const { subresource } = info;
  // Logs are read, not connected to.
  const { url, path } = subresource === 'log' ? { url: context.url, path: '' } : await admitConnect(context, resource);
  const target = subresource === 'proxy' ? proxyTarget('pod', info.name) : { scheme: '', name: info.name, port: '' };
  const text = await storeFor(context, resource).get(`${info.namespace}/${target.name}`);
  if (text === null) throw notFound(resource, target.name);
  const pod = decodeText<Pod>(text);
  const node = pod.spec?.nodeName ?? '';
  if (node === '') throw badRequest(`pod ${target.name} does not have a host assigned`);
  const { scheme } = target;
  const to = subresource === 'proxy' ? { scheme, port: podPort(pod, target) } : {};
  const stream = { node, pod, subresource, path, request, url, ...to };
  return streamPodSubresource(around.nodeSession(info.cluster, node), stream);
}

interface ProxyTarget {
  scheme: string;
  name: string;
  /** Empty when it was not said. */
  port: string;
}

/** `[scheme:]name[:port]`, as proxy paths name their target. */
function proxyTarget(kind: string, id: string): ProxyTarget {
  const parts = id.split(':');
  const [scheme = '', name = '', port = ''] = parts.length === 3 ? parts : ['', ...parts];
  if (parts.length > 3 || name === '' || !['', 'http', 'https'].includes(scheme)) {
    throw badRequest(`invalid ${kind} request ${JSON.stringify(id)}`);
  }
  return { scheme: scheme || 'http', name, port };
}

/** The port that was asked for, or the first one that the pod names, or the scheme's own. */
function podPort(pod: Pod, { scheme, port }: ProxyTarget): number {
  if (port === '') {
    const first = pod.spec?.containers?.find((container) => (container.ports ?? []).length > 0)?.ports?.[0];
    return first?.containerPort ?? (scheme === 'https' ? 443 : 80);
  }
  const number = Number(port);
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
  throw serviceUnavailable(`error trying to reach service: dial tcp: lookup tcp/${port}: unknown port`);
}

/** HTTP to a Service: to one of its ready endpoints, through that pod's node. */
export async function connectService(context: Context, resource: Resource): Promise<Response> {
  const { request, info, around } = context;
  const { url, path } = await admitConnect(context, resource);
  const target = proxyTarget('service', info.name);
  const text = await storeFor(context, resource).get(`${info.namespace}/${target.name}`);
  if (text === null) throw notFound(resource, target.name);
  const service = decodeText<Service>(text);
  const endpoint = await readyEndpoint(context, service, target.port, info.name);
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
    path,
    request,
    url,
  });
}

/** A ready endpoint behind a port of a Service, which is given by its number or its name; an unnamed one has the name ''. */
async function readyEndpoint(
  context: Context,
  service: Service,
  port: string,
  id: string,
): Promise<{ pod: string; port: number }> {
  const { name, namespace } = service.metadata;
  const numbered = /^\d+$/.test(port);
  const declared = numbered ? service.spec?.ports?.find((p) => p.port === Number(port)) : undefined;
  if (numbered && declared === undefined)
    throw serviceUnavailable(`no service port ${port} found for service "${name}"`);
  const wanted = numbered ? (declared?.name ?? '') : port;
  const slices = findResource('discovery.k8s.io', 'v1', 'endpointslices') as Resource;
  const page = await storeFor(context, slices).list({
    prefix: `${namespace}/`,
    labelSelector: `kubernetes.io/service-name=${name}`,
  });
  const items = 'status' in page ? [] : (JSON.parse(`[${page.items}]`) as EndpointSlice[]);
  for (const slice of items) {
    const number = slice.ports?.find((p) => (p.name ?? '') === wanted)?.port;
    const ready = slice.endpoints?.find((e) => e.conditions?.ready !== false && e.targetRef?.kind === 'Pod');
    if (number !== undefined && ready?.targetRef?.name !== undefined)
      return { pod: ready.targetRef.name, port: number };
  }
  throw serviceUnavailable(`no endpoints available for service "${id}"`);
}

/** HTTP to a node's agent. */
export async function connectNode(context: Context, resource: Resource): Promise<Response> {
  const { request, info, around } = context;
  const { url, path } = await admitConnect(context, resource);
  const { name } = proxyTarget('node', info.name);
  if ((await storeFor(context, resource).get(name)) === null) throw notFound(resource, name);
  return streamNodeProxy(around.nodeSession(info.cluster, name), { node: name, path, request, url });
}
