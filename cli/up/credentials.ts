/** Credentials from the control plane's own endpoint, against the deployment's secret. */
import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { join } from 'node:path';
import { UserError } from '../command.ts';

export interface Credential {
  token: string;
  expirationTimestamp: string;
}

export interface CredentialRequest {
  user?: string;
  groups?: string[];
  bootstrap?: boolean;
  ttlSeconds: number;
}

/** The data folder's secret; made on first use, readable by its owner alone. */
export async function bootstrapSecret(data: string): Promise<string> {
  const file = join(data, 'bootstrap-secret');
  const present = await readFile(file, 'utf8').catch(() => '');
  if (present !== '') return present.trim();
  const secret = randomBytes(32).toString('base64url');
  await writeFile(file, `${secret}\n`, { mode: 0o600 });
  return secret;
}

/** POSTs JSON and answers the parsed body. Throws a UserError for any status but 2xx. `ca`: PEM to trust besides the machine's own. */
function postJson<T>(url: string, bearer: string, body: unknown, ca?: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const text = JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${bearer}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    };
    const request = https.request(
      url,
      { method: 'POST', headers, ...(ca === undefined ? {} : { ca }), timeout: 30_000 },
      (response) => {
        let answer = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          answer += chunk;
        });
        response.on('end', () => {
          if ((response.statusCode ?? 0) >= 300) {
            reject(new UserError(`${new URL(url).origin} refused: ${messageOf(answer) || response.statusCode}`));
          } else resolve(JSON.parse(answer) as T);
        });
      },
    );
    request.on('timeout', () => request.destroy(new Error('no answer in 30 s')));
    request.on('error', (error) =>
      reject(new UserError(`${new URL(url).origin} cannot be reached: ${error.message}.`)),
    );
    request.end(text);
  });
}

function messageOf(text: string): string {
  try {
    return String((JSON.parse(text) as { message?: unknown }).message ?? '');
  } catch {
    return '';
  }
}

/** Asks for a credential; `server` is the API's URL. */
export function requestCredential(
  server: string,
  secret: string,
  request: CredentialRequest,
  ca?: string,
): Promise<Credential> {
  return postJson<Credential>(`${server}/zeroplane/v1/credentials`, secret, request, ca);
}

/** Writes a kubeconfig in one go, readable by its owner alone. */
export async function writeKubeconfig(file: string, server: string, token: string, ca?: string): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, kubeconfigText(server, token, ca), { mode: 0o600 });
  await rename(temporary, file);
}

/** A kubeconfig with one cluster, one user, one context. */
export function kubeconfigText(server: string, token: string, ca?: string): string {
  const authority = ca === undefined ? '' : `    certificate-authority-data: ${Buffer.from(ca).toString('base64')}\n`;
  return `apiVersion: v1
kind: Config
clusters:
- name: zeroplane
  cluster:
    server: ${server}
${authority}users:
- name: admin
  user:
    token: ${token}
contexts:
- name: zeroplane
  context:
    cluster: zeroplane
    user: admin
current-context: zeroplane
`;
}
