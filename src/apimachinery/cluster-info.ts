/**
 * The ConfigMap `kube-public/cluster-info`: a kubeconfig that tells a machine, before it trusts anybody, where the cluster is and by which
 * CA it is known; signed with every bootstrap token, so that whoever holds one knows that it is told the truth.
 */
import { toBase64 } from './codec/base64.ts';

export const CLUSTER_INFO = { namespace: 'kube-public', name: 'cluster-info' } as const;
export const KUBECONFIG_KEY = 'kubeconfig';
/** Keys of signatures start so; the token's id follows. */
export const SIGNATURE_PREFIX = 'jws-kubeconfig-';

const bytes = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(new TextEncoder().encode(text));
const base64Url = (data: Uint8Array): string =>
  toBase64(data).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');

/**
 * The signature of a text by a bootstrap token: a JWS (HS256) in its compact form, the payload left out (`ComputeDetachedSignature`).
 * The same text and token always give the same signature, which is how one is verified.
 */
export async function detachedSignature(text: string, id: string, secret: string): Promise<string> {
  const header = base64Url(bytes(JSON.stringify({ alg: 'HS256', kid: id })));
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', bytes(secret), algorithm, false, ['sign']);
  const mac = await crypto.subtle.sign('HMAC', key, bytes(`${header}.${base64Url(bytes(text))}`));
  return `${header}..${base64Url(new Uint8Array(mac))}`;
}
