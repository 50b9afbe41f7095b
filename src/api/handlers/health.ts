/** `/healthz`, `/livez` and `/readyz`, each check below them, and what they say, after upstream's `healthz`. */

/**
 * That a request has come so far is the check: it was judged by the cluster's snapshot, at most a second old, which the Cluster object
 * has read from its storage.
 */
const ALIVE = ['ping', 'etcd', 'cluster'];
const CHECKS: Record<string, readonly string[]> = {
  healthz: ALIVE,
  livez: ALIVE,
  readyz: [...ALIVE, 'etcd-readiness', 'informer-sync'],
};
const HEADERS = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };

/** The answer; undefined where there is no such check. */
export function health(path: string, query: URLSearchParams): Response | undefined {
  const [, name = '', ...rest] = path.split('/');
  const checks = Object.hasOwn(CHECKS, name) ? CHECKS[name] : undefined;
  if (checks === undefined) return undefined;
  if (rest.length > 0) return checks.includes(rest.join('/')) ? new Response('ok', { headers: HEADERS }) : undefined;
  if (!query.has('verbose')) return new Response('ok', { headers: HEADERS });
  const excluded = new Set(query.getAll('exclude'));
  const lines = checks.map((check) => `[+]${check} ${excluded.delete(check) ? 'excluded: ' : ''}ok\n`);
  const unknown = [...excluded].sort().map((check) => JSON.stringify(check));
  if (unknown.length > 0) {
    lines.push(`warn: some health checks cannot be excluded: no matches for ${unknown.join(',')}\n`);
  }
  return new Response(`${lines.join('')}${name} check passed\n`, { headers: HEADERS });
}
