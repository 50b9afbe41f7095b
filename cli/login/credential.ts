/** A login as kubectl takes it: the kept one while it is good, a refreshed one, or a new one. */
import { UserError } from '../command.ts';
import type { LoginCache } from './cache.ts';
import { claimsOf, type Issuer, type Login, OAuthError, tokens } from './issuer.ts';

/** What is on its way when it ends comes too late. */
const MARGIN_MS = 30_000;

/** When a token ends, in ms since the epoch; undefined where it does not say. */
export function endOf(token: string): number | undefined {
  const { exp } = claimsOf(token);
  return typeof exp === 'number' ? exp * 1000 : undefined;
}

const isGood = ({ token }: Login): boolean => (endOf(token) ?? 0) > Date.now() + MARGIN_MS;

/** The login to use now. `issuer` is looked up, and `login` asks the user, only where they have to. */
export async function current(
  cache: LoginCache,
  issuer: (() => Promise<Issuer>) | undefined,
  login: () => Promise<Login>,
): Promise<Login> {
  const kept = await cache.read();
  if (kept !== undefined && isGood(kept)) return kept;
  const refreshed = issuer && kept?.refreshToken ? await refresh(await issuer(), kept.refreshToken) : undefined;
  const fresh = refreshed ?? (await login());
  await cache.write(fresh);
  return fresh;
}

/** Undefined where the issuer wants to see the user again. */
async function refresh(issuer: Issuer, refreshToken: string): Promise<Login | undefined> {
  try {
    return await tokens(issuer, {
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      scope: issuer.scopes.join(' '),
    });
  } catch (error) {
    if (error instanceof OAuthError) return undefined;
    throw error;
  }
}

const VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];

/** The version that a client speaks with its plugin, out of `KUBERNETES_EXEC_INFO`. Throws a UserError for one that is unknown. */
export function execVersion(text = '{}'): string {
  let info: { apiVersion?: string };
  try {
    info = JSON.parse(text) as typeof info;
  } catch {
    throw new UserError('KUBERNETES_EXEC_INFO is not JSON.', 2);
  }
  const { apiVersion = VERSIONS[0] as string } = info;
  if (VERSIONS.includes(apiVersion)) return apiVersion;
  throw new UserError(`${apiVersion} is no version of ExecCredential that this plugin speaks.`, 2);
}

/** The answer to a client: an ExecCredential as JSON. */
export function execCredential(apiVersion: string, { token }: Login): string {
  const end = endOf(token);
  const expiry =
    end === undefined ? {} : { expirationTimestamp: new Date(end - MARGIN_MS).toISOString().replace(/\.\d+/, '') };
  return `${JSON.stringify({ kind: 'ExecCredential', apiVersion, spec: { interactive: false }, status: { token, ...expiry } })}\n`;
}
