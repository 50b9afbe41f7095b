/** Credentials from the control plane's own endpoint, against the deployment's secret. */
import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { join } from 'node:path';
import { pathOf, readText, UserError } from '../command.ts';

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
export function bootstrapSecret(data: string): Promise<string> {
  return secretFile(join(data, 'bootstrap-secret'), () => randomBytes(32).toString('base64url'));
}

/** The keys under which the data folder's database is encrypted; the first is made on first use. Throws a UserError for a file that cannot be read. */
export function encryptionKeys(data: string): Promise<string> {
  return secretFile(join(data, 'encryption-keys'), () => randomBytes(32).toString('base64'));
}

async function secretFile(file: string, make: () => string): Promise<string> {
  const present = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    // Another in its place would be worse than none.
    if (error.code !== 'ENOENT') throw new UserError(`${file} cannot be read: ${error.message}.`);
    return '';
  });
  if (present.trim() !== '') return present.trim();
  const secret = make();
  await writeFile(file, `${secret}\n`, { mode: 0o600 });
  return secret;
}

/** Where a deployment is, as commands are told of it. */
export interface DeploymentOptions {
  server?: string;
  secret?: string;
  /** A file. */
  ca?: string;
}

export interface Deployment {
  server: string;
  secret: string;
  /** PEM to trust besides the machine's own. */
  ca: string | undefined;
}

/** The deployment that a command's options name; its secret may be in the environment. Throws a UserError where something is missing. */
export async function deploymentOf({ server, secret, ca }: DeploymentOptions): Promise<Deployment> {
  const given = secret ?? process.env['BOOTSTRAP_SECRET'];
  if (server === undefined) throw new UserError('--server is missing. See --help.', 2);
  if (!given)
    throw new UserError('the deployment’s secret is missing: --secret, or BOOTSTRAP_SECRET in the environment.', 2);
  const pem = ca === undefined ? undefined : await readText(ca);
  return { server: server.replace(/\/$/, ''), secret: given, ca: pem };
}

/** Sends JSON and answers the parsed body. Throws a UserError for any status but 2xx. `ca`: PEM to trust besides the machine's own. */
function sendJson<T>(method: string, url: string, bearer: string, body: unknown, ca?: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${bearer}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    };
    const request = https.request(
      url,
      { method, headers, ...(ca === undefined ? {} : { ca }), timeout: 30_000 },
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

/** The message of a Status; empty for what is none. */
export function messageOf(text: string): string {
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
  return sendJson<Credential>('POST', `${server}/zeroplane/v1/credentials`, secret, request, ca);
}

/** Asks for the keys of a cluster, or changes them; `path` below the endpoint. */
export function requestKeys<T>({ server, secret, ca }: Deployment, method: string, path: string): Promise<T> {
  return sendJson<T>(method, `${server}/zeroplane/v1/keys${path}`, secret, undefined, ca);
}

/** How the user of a kubeconfig shows who it is: with a token, or with what a plugin says. */
export type KubeconfigUser = { token: string } | { exec: Record<string, unknown> };

/** Writes a kubeconfig in one go, readable by its owner alone. */
export async function writeKubeconfig(
  file: string,
  server: string,
  user: KubeconfigUser,
  ca?: string,
  name?: string,
): Promise<void> {
  const path = pathOf(file);
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, kubeconfigText(server, user, ca, name), { mode: 0o600 });
  await rename(temporary, path);
}

/** A kubeconfig with one cluster, one user, one context. */
export function kubeconfigText(server: string, user: KubeconfigUser, ca?: string, name = 'admin'): string {
  const authority = ca === undefined ? '' : `    certificate-authority-data: ${Buffer.from(ca).toString('base64')}\n`;
  const quoted = JSON.stringify(name);
  return `apiVersion: v1
kind: Config
clusters:
- name: zeroplane
  cluster:
    server: ${server}
${authority}users:
- name: ${quoted}
  user:
    ${'token' in user ? `token: ${user.token}` : `exec: ${JSON.stringify(user.exec)}`}
contexts:
- name: zeroplane
  context:
    cluster: zeroplane
    user: ${quoted}
current-context: zeroplane
`;
}
