/** Subresources that reach a node, carried by its session: exec, attach, portforward, log, proxy. */
import { badRequest, failure, StatusError } from '../../apimachinery/errors.ts';
import type { Status } from '../../apimachinery/meta.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import type { Fetching } from '../context.ts';
import { readBody } from '../decode.ts';
import { containerOf } from './containers.ts';
import { responseOf } from './head.ts';
import { logOptions } from './log-options.ts';
import { overWebSocket } from './over-websocket.ts';
import { negotiateProtocol, wantsWebSocket } from './protocol.ts';
import { Relay } from './relay.ts';
import { proxyPrefix, rewriteLinks } from './rewrite-links.ts';

export interface PodStream {
  node: string;
  pod: Pod;
  subresource: string;
  /** What follows `proxy/` in the path. */
  path: string;
  request: Request;
  url: URL;
  /** Of a proxied request. */
  scheme?: string;
  port?: number;
}

export interface NodeStream {
  node: string;
  /** What follows `proxy/` in the path. */
  path: string;
  request: Request;
  url: URL;
}

const NOT_PROXIED = new Set([
  'authorization',
  'connection',
  'host',
  'upgrade',
  'content-length',
  'accept-encoding',
  'te',
]);

/** Whether a client's header goes on to who it is proxied to. Who was impersonated is known by then: nobody is to do that again. */
export const isProxied = (name: string): boolean =>
  !NOT_PROXIED.has(name) && !name.startsWith('cf-') && !name.startsWith('impersonate-');

/** Answers a streaming subresource of a pod through its node's session. */
export async function streamPodSubresource(session: Fetching, stream: PodStream): Promise<Response> {
  const { pod, subresource, url } = stream;
  switch (subresource) {
    case 'log':
      return logs(session, stream);
    case 'proxy':
      return proxy(session, stream);
    case 'exec':
    case 'attach':
      return socket(session, stream, containerOf(pod, url.searchParams.get('container')));
    default:
      return socket(session, stream, '');
  }
}

/** HTTP to a node's agent itself. */
export function streamNodeProxy(session: Fetching, { node, path, request, url }: NodeStream): Promise<Response> {
  const pod: Pod = { metadata: { name: '' } };
  return proxy(session, { node, pod, subresource: 'proxy', path, request, url, port: 0 });
}

async function open(session: Fetching, stream: PodStream, more: object): Promise<WebSocket> {
  const { namespace, name, uid } = stream.pod.metadata;
  const described = {
    kind: stream.subresource,
    namespace,
    name,
    uid,
    container: '',
    query: stream.url.search.slice(1),
    protocol: '',
  };
  const headers = { upgrade: 'websocket', 'x-stream': ascii(JSON.stringify({ ...described, ...more })) };
  const answer = await session.fetch(new Request('https://session/open', { headers }));
  if (answer.webSocket !== null) return answer.webSocket;
  throw new StatusError((await answer.json()) as Status);
}

/** JSON as a header can carry it. */
function ascii(json: string): string {
  return json.replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

async function socket(session: Fetching, stream: PodStream, container: string): Promise<Response> {
  const { phase } = stream.pod.status ?? {};
  if (phase === 'Succeeded' || phase === 'Failed') {
    throw badRequest(`cannot ${stream.subresource} into a container in a completed pod; current phase is ${phase}`);
  }
  const protocol = negotiateProtocol(stream.request, stream.subresource);
  const webSocket = await open(session, stream, { container, protocol });
  return new Response(null, { status: 101, webSocket, headers: { 'sec-websocket-protocol': protocol } });
}

async function logs(session: Fetching, stream: PodStream): Promise<Response> {
  logOptions(stream.url.searchParams);
  const container = containerOf(stream.pod, stream.url.searchParams.get('container'));
  const protocol = wantsWebSocket(stream.request) ? negotiateProtocol(stream.request, 'log') : undefined;
  const relay = new Relay(await open(session, stream, { container }));
  await relay.first();
  if (protocol !== undefined) return overWebSocket(relay.body, protocol);
  return new Response(relay.body, { headers: { 'content-type': 'text/plain', 'content-encoding': 'identity' } });
}

async function proxy(session: Fetching, stream: PodStream): Promise<Response> {
  const { request, url } = stream;
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  // Relative links of the page would lead beside it (upstream's `proxyRedirectsforRootPath`).
  if (isRead && stream.path === '' && !url.pathname.endsWith('/')) {
    return new Response(null, { status: 301, headers: { location: `${url.pathname}/${url.search}` } });
  }
  const headers = Object.fromEntries([...request.headers].filter(([name]) => isProxied(name)));
  const http = {
    scheme: stream.scheme ?? 'http',
    method: request.method,
    path: `/${stream.path}${url.search}`,
    port: stream.port ?? 80,
    headers,
  };
  const body = await readBody(request);
  const relay = new Relay(await open(session, stream, { http }));
  const answered = relay.first();
  const [first] = await Promise.all([answered, relay.send(body)]);
  if (first.head === undefined) throw new StatusError(failure(503, 'ServiceUnavailable', 'the pod did not answer'));
  return rewriteLinks(responseOf(first.head, relay.body, 'the pod'), proxyPrefix(url, stream.path));
}
