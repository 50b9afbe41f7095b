/** What `/metrics` and the health checks say. */
import { describe, expect, it } from 'vitest';
import { health } from '../../src/api/handlers/health.ts';
import { Metrics } from '../../src/api/metrics.ts';
import { requestInfo } from '../../src/api/request-info.ts';

function ask(metrics: Metrics, method: string, path: string, code: number, type?: string): void {
  const url = new URL(path, 'https://x');
  const request = new Request(url, { method, ...(type === undefined ? {} : { headers: { 'content-type': type } }) });
  metrics.begin(request, requestInfo(method, url))(code);
}

describe('metrics', () => {
  it.each([
    [
      'GET',
      '/api/v1/namespaces/a/pods/p',
      200,
      'code="200",dry_run="",group="",resource="pods",scope="resource",subresource="",verb="GET",version="v1"',
    ],
    ['GET', '/api/v1/namespaces/a/pods', 200, 'resource="pods",scope="namespace",subresource="",verb="LIST"'],
    [
      'GET',
      '/apis/apps/v1/deployments?watch=1',
      200,
      'group="apps",resource="deployments",scope="cluster",subresource="",verb="WATCH"',
    ],
    [
      'POST',
      '/api/v1/namespaces/a/pods?dryRun=All',
      201,
      'code="201",dry_run="All",group="",resource="pods",scope="resource",subresource="",verb="POST"',
    ],
    ['PUT', '/apis/apps/v1/namespaces/a/deployments/d/status', 409, 'scope="resource",subresource="status",verb="PUT"'],
    ['DELETE', '/api/v1/namespaces/a/pods', 200, 'scope="namespace",subresource="",verb="DELETECOLLECTION"'],
    ['POST', '/api/v1/namespaces/a/pods/p/exec', 101, 'subresource="exec",verb="CONNECT"'],
    ['GET', '/livez', 200, 'group="",resource="",scope="",subresource="/livez",verb="GET"'],
  ])('%s %s is counted', (method, path, code, labels) => {
    const metrics = new Metrics();
    ask(metrics, method, path, code);
    const [line = ''] = metrics
      .text()
      .split('\n')
      .filter((text) => text.startsWith('apiserver_request_total{'));
    expect(line).toContain(labels);
    expect(line).toMatch(/\} 1$/);
  });

  it('an apply is told from other patches', () => {
    const metrics = new Metrics();
    ask(metrics, 'PATCH', '/api/v1/namespaces/a/pods/p', 200, 'application/apply-patch+yaml');
    ask(metrics, 'PATCH', '/api/v1/namespaces/a/pods/p', 200, 'application/json-patch+json');
    expect(metrics.text()).toMatch(/verb="APPLY"[\s\S]*verb="PATCH"/);
  });

  it('durations add up', () => {
    const metrics = new Metrics();
    for (let i = 0; i < 3; i++) ask(metrics, 'GET', '/version', 200);
    const lines = metrics
      .text()
      .split('\n')
      .filter((text) => text.startsWith('apiserver_request_duration_seconds'));
    expect(lines).toHaveLength(26);
    expect(lines.at(-1)).toMatch(/_count\{.*\} 3$/);
    expect(lines.find((text) => text.includes('le="+Inf"'))).toMatch(/ 3$/);
  });

  it('every line is one that Prometheus reads', () => {
    const metrics = new Metrics();
    ask(metrics, 'GET', '/api/v1/na"m\\e/x%0A', 200);
    for (const line of metrics.text().trim().split('\n')) {
      expect(line).toMatch(
        /^(?:# (?:HELP|TYPE) [a-z_]+ .+|[a-z_]+(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)+\})? [0-9.e+-]+)$/,
      );
    }
  });

  it('paths that nothing serves are not counted, nor series without end', () => {
    const metrics = new Metrics();
    for (let i = 0; i < 6000; i++) ask(metrics, 'GET', `/api/v1/nope-${i}`, 404);
    expect(metrics.text()).not.toContain('nope');
    for (let i = 0; i < 6000; i++) ask(metrics, 'GET', `/api/v1/r${i}/x`, 404);
    expect(metrics.text().match(/^apiserver_request_total\{/gm)).toHaveLength(5000);
  });

  it('knows what is still being answered', () => {
    const metrics = new Metrics();
    const url = new URL('https://x/api/v1/pods');
    const answered = metrics.begin(new Request(url), requestInfo('GET', url));
    expect(metrics.text()).toContain('apiserver_current_inflight_requests{request_kind="readOnly"} 1\n');
    answered(200);
    expect(metrics.text()).toContain('apiserver_current_inflight_requests{request_kind="readOnly"} 0\n');
  });
});

describe('health', () => {
  const said = async (path: string): Promise<string | undefined> => {
    const { pathname, searchParams } = new URL(path, 'https://x');
    return health(pathname, searchParams)?.text();
  };
  it.each([
    ['/livez', 'ok'],
    ['/healthz', 'ok'],
    ['/livez/ping', 'ok'],
    ['/readyz/informer-sync', 'ok'],
    ['/livez/nope', undefined],
    ['/livez/informer-sync', undefined],
    ['/other', undefined],
    ['/livez?verbose', '[+]ping ok\n[+]etcd ok\n[+]cluster ok\nlivez check passed\n'],
    ['/livez?verbose&exclude=etcd', '[+]ping ok\n[+]etcd excluded: ok\n[+]cluster ok\nlivez check passed\n'],
    [
      '/healthz?verbose&exclude=y&exclude=x',
      '[+]ping ok\n[+]etcd ok\n[+]cluster ok\nwarn: some health checks cannot be excluded: no matches for "x","y"\nhealthz check passed\n',
    ],
    [
      '/readyz?verbose',
      '[+]ping ok\n[+]etcd ok\n[+]cluster ok\n[+]etcd-readiness ok\n[+]informer-sync ok\nreadyz check passed\n',
    ],
  ])('%s', async (path, text) => {
    expect(await said(path)).toBe(text);
  });
});
