/** A client that is as light as can be: what is measured is the server. */
import { readFileSync } from 'node:fs';
import https from 'node:https';
import type { ControlPlane } from '../../cli/harness/control-plane.ts';

export interface Answer {
  status: number;
  text: string;
}

/** One connection pool to a control plane. */
export class BenchClient {
  private readonly plane: ControlPlane;
  private readonly agent: https.Agent;

  constructor(plane: ControlPlane, connections: number) {
    this.plane = plane;
    const ca = /certificate-authority-data: (\S+)/.exec(readFileSync(plane.kubeconfig, 'utf8'))?.[1] ?? '';
    this.agent = new https.Agent({ keepAlive: true, maxSockets: connections, ca: Buffer.from(ca, 'base64') });
  }

  /** Sends a request and reads the whole answer. Throws for a status of 300 or above. */
  send(
    method: string,
    path: string,
    body?: unknown,
    type = 'application/json',
    more: Record<string, string> = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : JSON.stringify(body);
      const request = this.request(method, path, payload, type, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const status = response.statusCode ?? 0;
          if (status < 300) resolve({ status, text });
          else reject(new Error(`${method} ${path}: ${status} ${text.slice(0, 300)}`));
        });
        response.on('error', reject);
      });
      for (const [name, value] of Object.entries(more)) request.setHeader(name, value);
      request.on('error', reject);
      request.end(payload);
    });
  }

  /** Opens a watch; `onLine` gets each event's line, `onEnd` is told when the server ends it. Resolves once it is open, with what closes it. */
  watch(path: string, onLine: (line: string) => void, onEnd: () => void = () => {}): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const request = this.request('GET', path, undefined, '', (response) => {
        let rest = '';
        response.on('data', (chunk: Buffer) => {
          const lines = (rest + chunk.toString()).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) onLine(line);
        });
        response.on('end', onEnd).on('error', () => {});
        resolve(() => request.destroy());
      });
      request.on('error', reject);
      request.end();
    });
  }

  close(): void {
    this.agent.destroy();
  }

  private request(
    method: string,
    path: string,
    payload: string | undefined,
    type: string,
    answer: (response: import('node:http').IncomingMessage) => void,
  ) {
    const headers: Record<string, string | number> = { authorization: `Bearer ${this.plane.token}` };
    if (payload !== undefined) {
      headers['content-type'] = type;
      headers['content-length'] = Buffer.byteLength(payload);
    }
    const url = new URL(path, this.plane.server);
    return https.request(url, { method, headers, agent: this.agent }, answer);
  }
}
