/** Service account tokens for pods: asked of the API server, kept until most of their life is over. */
import type { Pod, ServiceAccountTokenProjection } from '../../src/generated/types/core.v1.ts';
import type { HttpClient } from '../client.ts';

interface TokenRequest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string };
  spec: {
    audiences?: string[];
    expirationSeconds: number;
    boundObjectRef: { apiVersion: string; kind: string; name: string; uid: string };
  };
  status?: { token: string; expirationTimestamp: string };
}

interface Kept {
  token: string;
  refreshAt: number;
  expiresAt: number;
}

const DEFAULT_SECONDS = 3600;
const MAX_AGE_MS = 24 * 3600 * 1000;

/** Tokens bound to pods. */
export class TokenSource {
  readonly #client: HttpClient;
  readonly #kept = new Map<string, Kept>();

  constructor(client: HttpClient) {
    this.#client = client;
  }

  /** A token for the pod's service account with enough life left; a failed renewal keeps the old one while it is valid. */
  async get(pod: Pod, projection: ServiceAccountTokenProjection): Promise<string> {
    const uid = pod.metadata.uid ?? '';
    const expirationSeconds = projection.expirationSeconds ?? DEFAULT_SECONDS;
    const key = `${uid} ${projection.audience ?? ''} ${expirationSeconds}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined && Date.now() < kept.refreshAt) return kept.token;
    const name = pod.spec?.serviceAccountName || 'default';
    const request: TokenRequest = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: { name, namespace: pod.metadata.namespace ?? '' },
      spec: {
        ...(projection.audience ? { audiences: [projection.audience] } : {}),
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name, uid },
      },
    };
    try {
      const { status } = await this.#client.create<TokenRequest>('core/serviceaccounts', request, 'token');
      if (status === undefined) throw new Error('the server answered without a token');
      const expiresAt = Date.parse(status.expirationTimestamp);
      const life = expiresAt - Date.now();
      this.#kept.set(key, {
        token: status.token,
        expiresAt,
        refreshAt: Date.now() + Math.min(life * 0.8, MAX_AGE_MS),
      });
      return status.token;
    } catch (error) {
      if (kept !== undefined && Date.now() < kept.expiresAt) return kept.token;
      throw new Error(`failed to fetch token: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Forgets the pod's tokens. */
  release(uid: string): void {
    for (const key of this.#kept.keys()) if (key.startsWith(`${uid} `)) this.#kept.delete(key);
  }
}
