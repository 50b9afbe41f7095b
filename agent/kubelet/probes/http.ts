/** HTTP requests of probes and lifecycle hooks, from the node to the pod. Failures are worded as Go's client words them. */
import http from 'node:http';
import https from 'node:https';
import type { Container, HTTPGetAction } from '../../../src/generated/types/core.v1.ts';

const MAX_REDIRECTS = 10;
const MAX_BODY = 10 * 1024;

export interface HttpResult {
  status: number;
  body: string;
  url: string;
}

/** A port by number, or by the name of one of the container's ports. Throws when there is none. */
export function portOf(container: Container, port: number | string | undefined): number {
  const number =
    typeof port === 'number'
      ? port
      : (container.ports?.find(({ name }) => name === port)?.containerPort ?? Number(port));
  if (!Number.isInteger(number) || number < 1 || number > 65_535) throw new Error(`invalid port number: ${port}`);
  return number;
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** The address that an httpGet action means for a pod with this IP. */
export function actionUrl(container: Container, action: HTTPGetAction, podIp: string): URL {
  const scheme = (action.scheme ?? 'HTTP').toLowerCase();
  const path = action.path ?? '/';
  const host = bracketed(action.host || podIp);
  return new URL(`${scheme}://${host}:${portOf(container, action.port)}${path.startsWith('/') ? '' : '/'}${path}`);
}

/** As Go prints why a TCP connection failed: `dial tcp 10.0.0.1:80: connect: connection refused`. */
export function dialError(error: NodeJS.ErrnoException, host: string, port: number | string): string {
  const reasons: Record<string, string> = {
    ECONNREFUSED: 'connect: connection refused',
    EHOSTUNREACH: 'connect: no route to host',
    ENETUNREACH: 'connect: network is unreachable',
    ETIMEDOUT: 'i/o timeout',
  };
  const reason = reasons[error.code ?? ''];
  return reason === undefined ? error.message : `dial tcp ${bracketed(host)}:${port}: ${reason}`;
}

/** GET with the action's headers; certificates are not verified and redirects to the same host are followed, as upstream does. */
export function httpGet(
  url: URL,
  headers: Record<string, string>,
  timeoutMs: number,
  redirects = MAX_REDIRECTS,
): Promise<HttpResult> {
  // Go prints the port even where it is the scheme's own.
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const shown = `${url.protocol}//${url.hostname}:${port}${url.pathname}${url.search}`;
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? https.request : http.request;
    const request = send(url, {
      method: 'GET',
      headers: { 'user-agent': 'kube-probe/1.36', accept: '*/*', connection: 'close', ...headers },
      agent: false,
      ...(url.protocol === 'https:' ? { rejectUnauthorized: false } : {}),
    });
    const timer = setTimeout(
      () => request.destroy(new Error('context deadline exceeded (Client.Timeout exceeded while awaiting headers)')),
      timeoutMs,
    );
    request.once('response', (response) => {
      const status = response.statusCode ?? 0;
      const location = response.headers.location;
      if (status >= 300 && status < 400 && location !== undefined && redirects > 0) {
        clearTimeout(timer);
        response.resume();
        const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
        if (next === undefined || next.hostname !== url.hostname) resolve({ status, body: '', url: shown });
        else httpGet(next, headers, timeoutMs, redirects - 1).then(resolve, reject);
        return;
      }
      let body = '';
      const finish = (): void => {
        clearTimeout(timer);
        resolve({ status, body, url: shown });
      };
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
        if (body.length < MAX_BODY) return;
        body = body.slice(0, MAX_BODY);
        finish();
        response.destroy();
      });
      response.once('end', finish);
    });
    request.once('error', (error) => {
      clearTimeout(timer);
      reject(new Error(`Get "${shown}": ${dialError(error, url.hostname, port)}`));
    });
    request.end();
  });
}

/** An action's headers, by name. */
export function headersOf(action: HTTPGetAction): Record<string, string> {
  return Object.fromEntries((action.httpHeaders ?? []).map(({ name = '', value = '' }) => [name, value]));
}
