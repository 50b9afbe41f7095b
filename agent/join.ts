/** The node's credential: got with a bootstrap token, and kept in the data folder. */
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { HttpClient } from './client.ts';

/** What the server answers to a join or a renewal. */
export interface Credential {
  token: string;
  expirationTimestamp?: string;
  /** The cluster's CAs as PEM, the one that signs first. */
  ca?: string;
  clusterDns?: string;
  clusterDomain?: string;
  serviceCidr?: string;
  clusterCidr?: string;
  /** PEM, for `https://kubernetes.default.svc` inside pods. */
  apiProxy?: { cert: string; key: string };
}

const JOIN = '/zeroplane/v1/join';

/** Trades `bearer`, a bootstrap token or a node's own one, for a fresh credential. */
export async function requestCredential(
  server: string,
  ca: string | undefined,
  bearer: string,
  nodeName: string,
): Promise<Credential> {
  const client = new HttpClient({ server, ca, token: () => bearer });
  try {
    const answer: unknown = await client.request('POST', JOIN, { body: { nodeName } });
    if (typeof answer !== 'object' || answer === null || !('token' in answer) || typeof answer.token !== 'string') {
      throw new Error(`${server} did not answer with a credential`);
    }
    return answer as Credential;
  } finally {
    client.close();
  }
}

/** The credential in the file, or undefined where there is none: the whole answer to a join, or a bare token. */
export function loadCredential(file: string): Credential | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
  if (!text.startsWith('{')) return text === '' ? undefined : { token: text };
  try {
    const credential = JSON.parse(text) as Credential;
    return typeof credential.token === 'string' ? credential : undefined;
  } catch {
    return undefined;
  }
}

/** Writes the credential so that only root reads it, and never half. */
export function saveCredential(file: string, credential: Credential): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(credential), { mode: 0o600 });
  chmodSync(`${file}.new`, 0o600);
  renameSync(`${file}.new`, file);
}

/** When the JWT starts and ends, in milliseconds; undefined for a token that does not say. */
export function lifetime(token: string): { issuedAt: number; expiresAt: number } | undefined {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as {
      iat?: number;
      exp?: number;
    };
    if (typeof claims.exp !== 'number') return undefined;
    return { issuedAt: (claims.iat ?? claims.exp - 3600) * 1000, expiresAt: claims.exp * 1000 };
  } catch {
    return undefined;
  }
}
