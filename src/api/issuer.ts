/** Documents by which others verify our tokens: the issuer's, as OpenID Connect Discovery has them. */
import type { RequestInfo } from './request-info.ts';
import type { Snapshot } from './snapshot.ts';

export const CONFIGURATION = '/.well-known/openid-configuration';
export const KEYS = '/openid/v1/jwks';
/**
 * They hold public keys alone, and other systems read them without an identity of this cluster (as with upstream's
 * `--authorization-always-allow-paths`).
 */
export const ISSUER_DOCUMENTS: ReadonlySet<string> = new Set([CONFIGURATION, KEYS]);

/** Who knows a token's issuer looks for its documents below the issuer's URL, which has a path: they are the same as without it. */
export function resolveIssuer(info: RequestInfo, { issuerPath }: Snapshot): void {
  if (info.isResource || issuerPath === '' || !info.path.startsWith(`${issuerPath}/`)) return;
  const document = info.path.slice(issuerPath.length);
  if (ISSUER_DOCUMENTS.has(document)) info.path = document;
}

/** The answer for a path, or undefined for one that is none of them. */
export function issuerDocument(path: string, { issuer, keys }: Snapshot): Response | undefined {
  if (path === KEYS) return respond('application/jwk-set+json', { keys });
  if (path !== CONFIGURATION) return undefined;
  return respond('application/json', {
    issuer,
    jwks_uri: `${issuer}${KEYS}`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  });
}

/** Other systems may keep these for as long as upstream's. */
function respond(type: string, document: object): Response {
  const headers = { 'content-type': type, 'cache-control': 'public, max-age=3600' };
  return new Response(JSON.stringify(document), { headers });
}
