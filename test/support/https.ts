/** Requests to a control plane as they are written: no path is tidied up, no header added, nothing is retried. */
import { readFileSync } from 'node:fs';
import https from 'node:https';
import type { ControlPlane } from '../../cli/harness/control-plane.ts';

export interface Sent {
  method?: string;
  path: string;
  /** Objects go as JSON. */
  body?: string | Uint8Array | object;
  headers?: Record<string, string>;
  /** Instead of the administrator's; empty for none. */
  token?: string;
}

export interface Answered {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  bytes: Buffer;
  text: string;
  /** The text as JSON, where it is that. */
  body: { reason?: string; message?: string; metadata?: { resourceVersion?: string }; items?: unknown[] } & Record<
    string,
    unknown
  >;
}

export type Send = (request: Sent) => Promise<Answered>;

/** A client for one control plane; rejects only when there is no answer. */
export function client(plane: Pick<ControlPlane, 'server' | 'kubeconfig' | 'token'>): Send {
  const { hostname, port } = new URL(plane.server);
  const data = /certificate-authority-data: (\S+)/.exec(readFileSync(plane.kubeconfig, 'utf8'))?.[1] ?? '';
  const agent = new https.Agent({ keepAlive: true, ca: Buffer.from(data, 'base64') });
  return ({ method = 'GET', path, body, headers = {}, token = plane.token }) =>
    new Promise((resolve, reject) => {
      const all = { ...(token === '' ? {} : { authorization: `Bearer ${token}` }), ...headers };
      const bytes =
        body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
      const type = bytes === undefined || 'content-type' in all ? {} : { 'content-type': 'application/json' };
      // Node sends no length with a DELETE by itself.
      const chunked = 'transfer-encoding' in all;
      const length = bytes === undefined || chunked ? {} : { 'content-length': String(Buffer.byteLength(bytes)) };
      const request = https.request(
        { agent, hostname, port, method, path, headers: { ...type, ...length, ...all } },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const bytes = Buffer.concat(chunks);
            const text = bytes.toString();
            const { statusCode: status = 0, headers } = response;
            resolve({ status, headers, bytes, text, body: parsed(text) });
          });
        },
      );
      request.setTimeout(60_000, () => request.destroy(new Error(`no answer to ${method} ${path.slice(0, 200)}`)));
      request.on('error', reject);
      request.end(bytes);
    });
}

function parsed(text: string): Answered['body'] {
  try {
    return JSON.parse(text) as Answered['body'];
  } catch {
    return {};
  }
}
