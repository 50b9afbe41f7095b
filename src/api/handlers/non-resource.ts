/** Paths that are no resource's: version, health, metrics, schemas, the token issuer's documents. */
import type { Context } from '../context.ts';
import type { Metrics } from '../metrics.ts';
import { respondText } from '../respond.ts';
import { VERSION } from '../version.ts';
import { health } from './health.ts';
import { openapi } from './openapi.ts';

const METRICS_HEADERS = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' };
const versionText = JSON.stringify(VERSION, null, 2);

/** The answer; undefined for a path that nothing serves. */
export async function nonResource(context: Context, metrics: Metrics): Promise<Response | undefined> {
  const { path } = context.info;
  if (path === '/version' || path === '/version/') return respondText(versionText, { format: 'json' });
  if (path === '/metrics') return new Response(metrics.text(), { headers: METRICS_HEADERS });
  if (path === '/openid/v1/jwks') return issuerDocument('application/jwk-set+json', { keys: context.snapshot.keys });
  if (path === '/.well-known/openid-configuration') return issuerDocument('application/json', issuer(context));
  if (path.startsWith('/openapi/')) return openapi(context);
  return health(path, context.url.searchParams);
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
