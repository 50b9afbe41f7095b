/** Where the token issuer's documents are found. */
import { expect, it } from 'vitest';
import { issuerDocument, resolveIssuer } from '../../src/api/issuer.ts';
import { requestInfo } from '../../src/api/request-info.ts';
import type { Snapshot } from '../../src/api/snapshot.ts';

const issuer = 'https://kubernetes.default.svc.cluster.local/own';
const snapshot = { issuer, issuerPath: '/own', keys: [{ kid: 'k' }] } as unknown as Snapshot;

it.each([
  ['/own/.well-known/openid-configuration', '/.well-known/openid-configuration'],
  ['/own/openid/v1/jwks', '/openid/v1/jwks'],
  ['/clusters/c/own/openid/v1/jwks', '/openid/v1/jwks'],
  ['/.well-known/openid-configuration', '/.well-known/openid-configuration'],
  ['/own/version', '/own/version'],
  ['/own', '/own'],
  ['/owner/openid/v1/jwks', '/owner/openid/v1/jwks'],
  ['/own/own/openid/v1/jwks', '/own/own/openid/v1/jwks'],
])('%s is %s', (path, expected) => {
  const info = requestInfo('GET', new URL(`https://api${path}`));
  resolveIssuer(info, snapshot);
  expect(info.path).toBe(expected);
});

it('the configuration names the keys where they are found', async () => {
  const document = (await issuerDocument('/.well-known/openid-configuration', snapshot)?.json()) as {
    jwks_uri: string;
  };
  const info = requestInfo('GET', new URL(document.jwks_uri));
  resolveIssuer(info, snapshot);
  expect(await issuerDocument(info.path, snapshot)?.json()).toEqual({ keys: [{ kid: 'k' }] });
  expect(issuerDocument('/own', snapshot)).toBeUndefined();
});
