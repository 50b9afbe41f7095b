/** Requests for a group-version that an APIService hands to a Service: they go there through a node, in the name of who asks. */
import { badRequest, StatusError } from '../../apimachinery/errors.ts';
import type { RemoteServiceFact } from '../../durable-objects/cluster-rpc.ts';
import type { User } from '../authentication/user.ts';
import type { Context, Surroundings } from '../context.ts';
import { readBody } from '../decode.ts';
import { isProxied } from '../streaming/index.ts';
import { callService, type ServiceRequest } from '../streaming/service-call.ts';
import { frontProxyCertificate, identityHeaders, isIdentityHeader } from './front-proxy.ts';

/** A request to an extension API server in a user's name. Throws what {@link callService} throws. */
export async function callExtension(
  around: Surroundings,
  cluster: string,
  { service, caBundle, insecure }: Pick<RemoteServiceFact, 'service' | 'caBundle' | 'insecure'>,
  user: User,
  request: Omit<ServiceRequest, 'caBundle' | 'insecure' | 'certificate'>,
): Promise<Response> {
  const certificate = await frontProxyCertificate(around, cluster);
  const headers = { ...request.headers, ...identityHeaders(user) };
  return callService(around, cluster, service, { ...request, headers, caBundle, insecure, certificate });
}

/** Answers with what the Service answers. Refusals are plain text, as upstream's aggregator has them. */
export async function proxyToService(context: Context, remote: RemoteServiceFact): Promise<Response> {
  const { request, url, info, user, around } = context;
  if (request.headers.has('upgrade')) {
    throw badRequest(
      `connections to ${remote.group}/${remote.version} cannot be upgraded: an aggregated API is proxied`,
    );
  }
  if (!remote.available) return refuse('service unavailable');
  const headers = Object.fromEntries(
    [...request.headers].filter(([name]) => isProxied(name) && !isIdentityHeader(name)),
  );
  const body = await readBody(request);
  try {
    const call = { method: request.method, path: info.path + url.search, headers, body };
    return await callExtension(around, info.cluster, remote, user, call);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return refuse(`error trying to reach service: ${error.message}`);
  }
}

function refuse(why: string): Response {
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };
  return new Response(`${why}\n`, { status: 503, headers });
}
