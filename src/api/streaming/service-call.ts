/**
 * HTTPS to where the API server itself cannot go: to a Service inside the cluster, whose addresses it does not reach, or to a URL whose
 * certificate is of a CA that is no public one, which the runtime's fetch cannot be told to trust. A node makes the request, and verifies
 * who answers. Admission and conversion webhooks and aggregated API servers are called so.
 */
import { notFound, serviceUnavailable } from '../../apimachinery/errors.ts';
import type { Status } from '../../apimachinery/meta.ts';
import type { ServiceCall } from '../../apimachinery/service-call.ts';
import { responseOf } from './head.ts';
import { type ClusterReach, forgetReady, NO_NODE, readyNodes } from './ready-nodes.ts';
import { Relay } from './relay.ts';
import { candidates, type Place, type ServiceTarget } from './service-endpoints.ts';

export interface ServiceRequest extends Omit<ServiceCall, 'host' | 'port' | 'serverName' | 'ca'> {
  body?: Uint8Array;
  /** As objects have it: PEM in base64. Empty: the node's own roots. */
  caBundle?: string;
  /** Ends it all, the answer's body too. */
  signal?: AbortSignal;
}

/**
 * The Service's answer, whatever its status; its body is a stream. Throws NotFound without such a Service, ServiceUnavailable with the
 * words of Go's HTTP client when nobody answers or who answers is not believed, and the signal's reason when that aborts.
 */
export async function callService(
  reach: ClusterReach,
  cluster: string,
  target: ServiceTarget,
  request: ServiceRequest,
): Promise<Response> {
  request.signal?.throwIfAborted();
  const places = await candidates(reach, cluster, target);
  if (places === undefined) throw notFound({ group: '', resource: 'services' }, target.name);
  return callThrough(reach, cluster, places, `${target.name}.${target.namespace}.svc`, request);
}

/** The answer of a URL of https as a node sees it; its path and query are the request's. Throws as {@link callService}. */
export async function callUrl(
  reach: ClusterReach,
  cluster: string,
  { protocol, host, hostname, port, pathname, search }: URL,
  request: Omit<ServiceRequest, 'path'>,
): Promise<Response> {
  if (protocol !== 'https:')
    throw serviceUnavailable(`unsupported protocol scheme ${JSON.stringify(protocol.slice(0, -1))}`);
  request.signal?.throwIfAborted();
  // URLs write addresses of IPv6 in brackets.
  const address = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 443) };
  const places = (await readyNodes(reach, cluster)).map((node) => ({ node, ...address }));
  const headers = { ...request.headers, host };
  return callThrough(reach, cluster, places, address.host, { ...request, headers, path: pathname + search });
}

/** Through the first of the nodes that holds its session. */
async function callThrough(
  reach: ClusterReach,
  cluster: string,
  places: readonly Place[],
  serverName: string,
  { body = new Uint8Array(), caBundle = '', signal, ...request }: ServiceRequest,
): Promise<Response> {
  const ca = caBundle === '' ? {} : { ca: atob(caBundle) };
  let last = serviceUnavailable(NO_NODE);
  for (const { node, host, port } of places) {
    signal?.throwIfAborted();
    const session = reach.nodeSession(cluster, node);
    const headers = { upgrade: 'websocket', 'x-stream': JSON.stringify(STREAM) };
    const opened = await session.fetch(new Request('https://session/open', { headers }));
    if (opened.webSocket !== null) {
      return exchange(opened.webSocket, { ...request, host, port, serverName, ...ca }, body, signal);
    }
    // Another node may have its session.
    last = serviceUnavailable(((await opened.json()) as Status).message ?? '');
  }
  forgetReady(reach, cluster);
  throw last;
}

/** What a session is asked for. The call itself follows on the stream: headers are short, and are shown in logs. */
const STREAM = { kind: 'service', namespace: '', name: '', uid: '', container: '', query: '', protocol: '' };

async function exchange(
  socket: WebSocket,
  call: ServiceCall,
  body: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const relay = new Relay(socket);
  const abort = (): void => relay.abort(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  relay.ask(call);
  const [first] = await Promise.all([relay.first(), relay.send(body)]);
  if (first.head === undefined) throw serviceUnavailable('EOF');
  return responseOf(first.head, relay.body, call.serverName);
}
