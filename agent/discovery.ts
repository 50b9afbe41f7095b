/** How a machine that trusts nobody yet learns by which CA its cluster is known: kubeadm's discovery by token, with pinned keys. */
import { createHash, timingSafeEqual, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { BOOTSTRAP_TOKEN } from '../src/apimachinery/bootstrap-token.ts';
import { CLUSTER_INFO, detachedSignature, KUBECONFIG_KEY, SIGNATURE_PREFIX } from '../src/apimachinery/cluster-info.ts';
import { decodeYaml } from '../src/apimachinery/codec/yaml.ts';
import { delay } from './informer.ts';
import { UsageError } from './options.ts';
import type { Log } from './types.ts';

const PATH = `/api/v1/namespaces/${CLUSTER_INFO.namespace}/configmaps/${CLUSTER_INFO.name}`;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const TIMEOUT_MS = 10_000;
const RETRY_MS = 1000;
const MAX_BYTES = 1 << 20;

/** The pin of a certificate (PEM): the hash of its public key (`pubkeypin.Hash`), `sha256:…`. */
export function caHash(pem: string): string {
  const key = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}

/** The certificates of a bundle. Those that cannot be read are left out. */
export function certificatesOf(bundle: string): string[] {
  return (bundle.match(CERTIFICATE) ?? []).filter((pem) => {
    try {
      return new X509Certificate(pem).raw.length > 0;
    } catch {
      return false;
    }
  });
}

/**
 * The CA (PEM) that the cluster's `cluster-info` names: its text must be signed with the token, and a key pinned. It is asked for over a
 * connection that nobody vouches for, and nothing secret goes over it. Throws a UsageError where somebody lies, and another Error where it
 * may be well later.
 */
export async function discoverCa(server: string, token: string, pins: readonly string[]): Promise<string> {
  const { status, text } = await getUnverified(`${server.replace(/\/+$/, '')}${PATH}`);
  if (status !== 200) {
    throw new UsageError(
      `${server} does not say by which CA it is known (status ${status} for ${PATH}): make a token with 'zeroplane token create', or give the CA with --ca`,
    );
  }
  const data = dataOf(text);
  const [id = '', secret = ''] = token.split('.');
  const kubeconfig = data[KUBECONFIG_KEY] ?? '';
  const signature = data[SIGNATURE_PREFIX + id];
  if (signature === undefined)
    throw new Error(`the bootstrap token ${id} has not signed what the cluster says of itself`);
  if (!same(signature, await detachedSignature(kubeconfig, id, secret))) {
    throw new UsageError(
      `what ${server} says of the cluster is not signed with the bootstrap token: it is not to be trusted`,
    );
  }
  const pinned = certificatesOf(authorityIn(kubeconfig)).filter((pem) => pins.includes(caHash(pem)));
  if (pinned.length === 0)
    throw new UsageError(`the CA of ${server} is not the one that was pinned: it is not to be trusted`);
  return `${pinned.join('\n')}\n`;
}

/** What is needed to find the CA to trust, of the agent's options. */
export interface DiscoveryOptions {
  server: string;
  ca: string | undefined;
  caHashes: readonly string[];
  bootstrapToken: string | undefined;
  dataDir: string;
}

/** The CA to trust: the given one, one that was found out before, or what the cluster says. Waits for a server that is not there yet. */
export async function trustedCa(options: DiscoveryOptions, log: Log): Promise<string | undefined> {
  const { server, ca, caHashes, bootstrapToken, dataDir } = options;
  if (ca !== undefined || caHashes.length === 0) return ca;
  const file = join(dataDir, 'server-ca.crt');
  const kept = readOr(file, '');
  if (certificatesOf(kept).some((pem) => caHashes.includes(caHash(pem)))) return kept;
  if (bootstrapToken === undefined || !BOOTSTRAP_TOKEN.test(bootstrapToken)) {
    throw new UsageError('to find the CA by its hash takes a bootstrap token, such as abcdef.0123456789abcdef');
  }
  for (;;) {
    try {
      const found = await discoverCa(server, bootstrapToken, caHashes);
      mkdirSync(dataDir, { recursive: true });
      writeFileSync(file, found);
      return found;
    } catch (error) {
      if (error instanceof UsageError) throw error;
      log.warn('the cluster cannot be discovered yet, trying again', { error });
      await delay(RETRY_MS);
    }
  }
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}

function dataOf(text: string): Record<string, string> {
  try {
    return (JSON.parse(text) as { data?: Record<string, string> }).data ?? {};
  } catch {
    throw new Error('what the server answered is no ConfigMap');
  }
}

interface Kubeconfig {
  clusters?: { cluster?: { 'certificate-authority-data'?: string } }[];
}

function authorityIn(kubeconfig: string): string {
  const { clusters } = (decodeYaml(kubeconfig) ?? {}) as Kubeconfig;
  return Buffer.from(clusters?.[0]?.cluster?.['certificate-authority-data'] ?? '', 'base64').toString();
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function getUnverified(url: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const options = { rejectUnauthorized: false, timeout: TIMEOUT_MS, headers: { accept: 'application/json' } };
    const answered = (response: http.IncomingMessage): void => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MAX_BYTES) response.destroy(new Error('the answer is too long'));
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    };
    const request = url.startsWith('https:') ? https.get(url, options, answered) : http.get(url, options, answered);
    request.on('timeout', () => request.destroy(new Error(`no answer from ${url} in time`)));
    request.on('error', reject);
  });
}
