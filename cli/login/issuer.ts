/** An OpenID Connect issuer: what it says of itself, and the tokens that it gives. */
import { UserError } from '../command.ts';

/** Who asks the issuer, and for what. */
export interface OidcClient {
  issuer: string;
  clientId: string;
  /** Of a client that has one; those of a command line are no secrets. */
  clientSecret: string | undefined;
  scopes: readonly string[];
}

export interface Issuer extends OidcClient {
  authorizationEndpoint: string | undefined;
  tokenEndpoint: string;
  deviceEndpoint: string | undefined;
}

/** What was got from an issuer, or from another who knows the user. */
export interface Login {
  token: string;
  refreshToken?: string;
}

/** The issuer refused; `code` is OAuth's, such as `authorization_pending`. */
export class OAuthError extends UserError {
  readonly code: string;

  constructor(code: string, description: string) {
    super(`the issuer refused: ${description === '' ? code : description}.`);
    this.code = code;
  }
}

const TIMEOUT_MS = 30_000;
const LOOPBACK = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|\/|$)/;

/** Looks the issuer up. Throws a UserError where it is none, or speaks without TLS. */
export async function discover(client: OidcClient): Promise<Issuer> {
  const document = await answerOf(fetchFrom(`${client.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`));
  if (document['issuer'] !== client.issuer) {
    throw new UserError(
      `${client.issuer} calls itself ${JSON.stringify(document['issuer'])}: --issuer-url must be that.`,
    );
  }
  const tokenEndpoint = endpoint(document['token_endpoint']);
  if (tokenEndpoint === undefined) throw new UserError(`${client.issuer} has no token endpoint.`);
  const authorizationEndpoint = endpoint(document['authorization_endpoint']);
  const deviceEndpoint = endpoint(document['device_authorization_endpoint']);
  return { ...client, tokenEndpoint, authorizationEndpoint, deviceEndpoint };
}

function endpoint(value: unknown): string | undefined {
  return typeof value === 'string' && isSafe(value) ? value : undefined;
}

/** What is sent there is a secret. */
const isSafe = (url: string): boolean => url.startsWith('https://') || LOOPBACK.test(url);

/** Asks for tokens with a grant of any type. Throws an OAuthError where it is refused. */
export async function tokens(issuer: Issuer, grant: Record<string, string>): Promise<Login> {
  const answer = await post(issuer.tokenEndpoint, issuer, grant);
  const token = answer['id_token'];
  if (typeof token !== 'string')
    throw new OAuthError('no_id_token', 'it gave no id_token; does the scope openid belong to the client?');
  const refreshToken = answer['refresh_token'] ?? grant['refresh_token'];
  return typeof refreshToken === 'string' ? { token, refreshToken } : { token };
}

/** POSTs a form in the client's name, and answers the JSON. */
export function post(url: string, { clientId, clientSecret }: OidcClient, form: Record<string, string>) {
  const body = new URLSearchParams({ client_id: clientId, ...form });
  if (clientSecret !== undefined) body.set('client_secret', clientSecret);
  return answerOf(fetchFrom(url, { method: 'POST', body }));
}

async function fetchFrom(url: string, init: RequestInit = {}): Promise<Response> {
  if (!isSafe(url)) throw new UserError(`${url} is not https.`, 2);
  try {
    const headers = { accept: 'application/json' };
    return await fetch(url, { ...init, headers, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    const { cause } = error as { cause?: { message?: string } };
    throw new UserError(`${new URL(url).origin} cannot be reached: ${cause?.message ?? (error as Error).message}.`);
  }
}

async function answerOf(pending: Promise<Response>): Promise<Record<string, unknown>> {
  const response = await pending;
  const answer: unknown = await response.json().catch(() => undefined);
  const object = typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>) : {};
  if (response.ok) return object;
  const text = (key: string): string => (typeof object[key] === 'string' ? object[key] : '');
  const code = text('error');
  const status = `status ${response.status} of ${response.url}`;
  throw new OAuthError(code || `status_${response.status}`, text('error_description') || code || status);
}

/** The claims of a token, believed as far as its bringer is: it comes from the issuer itself, and the API server verifies it. */
export function claimsOf(token: string): Record<string, unknown> {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
