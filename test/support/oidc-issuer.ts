/** An issuer of tokens for tests: its keys, its documents, and what it signs. */
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

export interface IssuerKey {
  kid: string;
  alg: string;
  privateKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
  jwk: JWK;
}

export async function issuerKey(kid: string, alg = 'ES256'): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export interface Claims {
  [name: string]: unknown;
}

/** A token of these claims, good for an hour from now on unless they say otherwise. */
export function signed(key: IssuerKey, claims: Claims, header: object = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ iat: now, exp: now + 3600, ...claims })
    .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
    .sign(key.privateKey);
}

/** Documents by URL; answers what is not there with 404, and counts what it was asked. */
export class Documents {
  readonly asked: string[] = [];
  /** Whoever is asked fails, where this says how. */
  failing: (() => Promise<Response>) | undefined;
  private readonly byURL = new Map<string, object>();

  constructor(documents: Record<string, object>) {
    for (const [url, document] of Object.entries(documents)) this.put(url, document);
  }

  put(url: string, document: object): void {
    this.byURL.set(url, document);
  }

  readonly fetch: typeof fetch = async (input) => {
    const url = String(input);
    this.asked.push(url);
    if (this.failing !== undefined) return this.failing();
    const document = this.byURL.get(url);
    return document === undefined ? new Response('nothing', { status: 404 }) : Response.json(document);
  };
}
