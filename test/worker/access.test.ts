/** Cloudflare Access before the API: its header is somebody, in workerd and with the cluster's own policy. */
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { app } from '../../src/api/app.ts';
import { ExternalIdentities } from '../../src/api/authentication/oidc/index.ts';
import type { Env } from '../../src/durable-objects/env.ts';
import { surroundings } from '../../src/durable-objects/surroundings.ts';
import { Documents, issuerKey, signed } from '../support/oidc-issuer.ts';

const TEAM = 'https://team.cloudflareaccess.com';
const CONFIG = `
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer: {url: '${TEAM}', audiences: [tag]}
  claimMappings:
    username: {claim: email, prefix: ''}
    groups: {expression: 'claims.?custom.?groups.orValue([])'}
`;

it('lets in whom Access has let in, as whom it says', async () => {
  const key = await issuerKey('one', 'RS256');
  const documents = new Documents({ [`${TEAM}/cdn-cgi/access/certs`]: { keys: [key.jwk] } });
  const external = ExternalIdentities.read(CONFIG, documents.fetch);
  const around = { ...surroundings(env as unknown as Env), external };
  const ask = async (claims: object, headers: Record<string, string> = {}): Promise<unknown[]> => {
    const token = await signed(key, { iss: TEAM, aud: ['tag'], email: 'alice@example.com', ...claims });
    const all = { 'content-type': 'application/json', 'cf-access-jwt-assertion': token, ...headers };
    const body = '{"kind":"SelfSubjectReview","apiVersion":"authentication.k8s.io/v1"}';
    const url = 'https://api/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const response = await app.fetch(new Request(url, { method: 'POST', headers: all, body }), { around });
    const { status } = await response.json<{ status: { userInfo?: object } }>();
    return [response.status, status.userInfo];
  };
  const groups = ['ops', 'system:authenticated'];
  expect(await ask({ custom: { groups: ['ops'] } })).toEqual([201, { username: 'alice@example.com', groups }]);
  expect((await ask({ aud: ['another'] }))[0]).toBe(401);
  // Another site's page is nobody.
  expect((await ask({}, { origin: 'https://evil.example' }))[0]).toBe(403);
  expect(documents.asked).toHaveLength(1);
});
