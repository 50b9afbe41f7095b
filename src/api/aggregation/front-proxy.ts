/** How extension API servers learn who asks: by headers, which they believe because of a certificate. */

import type { ClusterRpc, KeyPair } from '../../durable-objects/cluster-rpc.ts';
import type { User } from '../authentication/user.ts';

/** Of the hour that a certificate lasts, when the isolate got it fresh. */
const MAX_AGE_MS = 20 * 60_000;

const kept = new Map<string, { at: number; pair: KeyPair }>();

/** The front proxy's certificate of a cluster, for some time to come. */
export async function frontProxyCertificate(
  around: { cluster(name: string): Pick<ClusterRpc, 'frontProxy'> },
  cluster: string,
): Promise<KeyPair> {
  const known = kept.get(cluster);
  if (known !== undefined && Date.now() - known.at < MAX_AGE_MS) return known.pair;
  const at = Date.now();
  const { cert, key } = await around.cluster(cluster).frontProxy();
  kept.set(cluster, { at, pair: { cert, key } });
  return { cert, key };
}

/** What it has signed, a CA that was retired does no good any more: another certificate is asked for. */
export function forgetFrontProxy(cluster: string): void {
  kept.delete(cluster);
}

/** In whose name the aggregator itself asks. */
export const AGGREGATOR: User = {
  name: 'system:kube-aggregator',
  uid: '',
  groups: ['system:masters'],
  extra: {},
};

/** Headers that only the front proxy may send. */
export const isIdentityHeader = (name: string): boolean => name.toLowerCase().startsWith('x-remote-');

/** Who asks, as headers (`SetAuthProxyHeaders`). */
export function identityHeaders({ name, uid, groups, extra }: User): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { 'X-Remote-User': name };
  if (uid !== '') headers['X-Remote-Uid'] = uid;
  if (groups.length > 0) headers['X-Remote-Group'] = [...groups];
  for (const [key, values] of Object.entries(extra)) headers[`X-Remote-Extra-${escaped(key)}`] = [...values];
  return headers;
}

/** A key as the name of a header can have it: bytes that may not be in one, and `%`, in hexadecimal after a `%`. */
function escaped(key: string): string {
  const hex = (byte: number): string => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return Array.from(new TextEncoder().encode(key), (byte) => {
    const char = String.fromCharCode(byte);
    return /[-!#$&'*+.^_`|~0-9A-Za-z]/.test(char) ? char : hex(byte);
  }).join('');
}
