/** Paths that are no resource's: version, health, metrics, schemas, the token issuer's documents. */
import type { Context } from '../context.ts';
import { issuerDocument } from '../issuer.ts';
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
  if (path.startsWith('/openapi/')) return openapi(context);
  return issuerDocument(path, context.snapshot) ?? health(path, context.url.searchParams);
}
