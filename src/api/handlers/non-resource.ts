/** Paths that are no resource's: version, health, schemas, the token issuer's documents. */
import type { Context } from '../context.ts';
import { respondText } from '../respond.ts';
import { VERSION } from '../version.ts';
import { openapi } from './openapi.ts';

const CHECKS = ['ping', 'cluster'];
const HEALTH = new Set(['/healthz', '/livez', '/readyz']);
const versionText = JSON.stringify(VERSION, null, 2);

/** The answer; undefined for a path that nothing serves. */
export async function nonResource(context: Context): Promise<Response | undefined> {
  const { path } = context.info;
  if (path === '/version' || path === '/version/') return respondText(versionText, { format: 'json' });
  if (HEALTH.has(path)) return health(context, path.slice(1));
  if (path === '/openid/v1/jwks') return issuerDocument('application/jwk-set+json', { keys: context.snapshot.keys });
  if (path === '/.well-known/openid-configuration') return issuerDocument('application/json', issuer(context));
  if (path.startsWith('/openapi/')) return openapi(context);
  return undefined;
}

/** `ok`, or with `?verbose` a line for each check. That the request came so far is the check: the cluster's snapshot was read. */
function health({ url }: Context, name: string): Response {
  const lines = [...CHECKS.map((check) => `[+]${check} ok`), `${name} check passed`, ''];
  const body = url.searchParams.has('verbose') ? lines.join('\n') : 'ok';
  return new Response(body, { headers: { 'content-type': 'text/plain; charset=utf-8' } });
}

/** Other systems may keep these for as long as upstream's. */
function issuerDocument(type: string, document: object): Response {
  const headers = { 'content-type': type, 'cache-control': 'public, max-age=3600' };
  return new Response(JSON.stringify(document), { headers });
}

function issuer({ snapshot }: Context) {
  return {
    issuer: snapshot.issuer,
    jwks_uri: `${snapshot.issuer}/openid/v1/jwks`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  };
}
