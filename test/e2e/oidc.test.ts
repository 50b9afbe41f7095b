/** A real issuer before the real Worker: its tokens are let in as its configuration says, and a bad configuration is said at once. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../cli/command.ts';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { selfSigned } from '../support/certificates.ts';
import { client, type Send } from '../support/https.ts';
import { type IssuerKey, issuerKey, signed } from '../support/oidc-issuer.ts';
import { hasKubectl, KUBECTL } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'zeroplane-oidc-'));
const file = join(folder, 'authentication.yaml');
const asked: string[] = [];

let server: Server;
let issuer: string;
let key: IssuerKey;
let plane: ControlPlane;
/** What somebody gets who logs in. */
let idToken = '';
let certificate: string;
let send: Send;

beforeAll(async () => {
  const { cert, key: serverKey } = await selfSigned('localhost');
  key = await issuerKey('one', 'RS256');
  certificate = join(folder, 'issuer.crt');
  writeFileSync(certificate, cert);
  server = createServer({ cert, key: serverKey }, (request, response) => {
    asked.push(request.url ?? '');
    const documents: Record<string, object> = {
      '/.well-known/openid-configuration': {
        issuer,
        jwks_uri: `${issuer}/keys`,
        token_endpoint: `${issuer}/token`,
        device_authorization_endpoint: `${issuer}/device`,
      },
      '/keys': { keys: [key.jwk] },
      '/device': { device_code: 'd', user_code: 'u', verification_uri: issuer, interval: 0.01, expires_in: 60 },
      '/token': { id_token: idToken },
    };
    const found = documents[request.url ?? ''];
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(found ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  issuer = `https://localhost:${(server.address() as AddressInfo).port}`;
  const configuration = {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'AuthenticationConfiguration',
    jwt: [
      {
        issuer: { url: issuer, audiences: ['cluster'], certificateAuthority: cert },
        claimMappings: { username: { expression: "'oidc:' + claims.sub" }, groups: { claim: 'groups', prefix: '' } },
        userValidationRules: [{ expression: "!('system:masters' in user.groups)", message: 'not so high' }],
      },
    ],
    anonymous: { enabled: true, conditions: [{ path: '/livez' }, { path: '/readyz' }] },
  };
  writeFileSync(file, JSON.stringify(configuration));
  plane = await startControlPlane({ nodes: 'none', args: ['--authentication-config', file] });
  send = client(plane);
});
afterAll(async () => {
  await plane?.stop();
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

const review = async (claims: object, by = key) => {
  const token = await signed(by, { iss: issuer, aud: 'cluster', sub: 'alice', groups: ['ops'], ...claims });
  const body = { kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1' };
  return send({ method: 'POST', path: '/apis/authentication.k8s.io/v1/selfsubjectreviews', body, token });
};

describe('an issuer’s token', () => {
  it('is somebody, who may do what RBAC grants', async () => {
    const { status, body } = await review({});
    expect([status, body['status']]).toEqual([
      201,
      { userInfo: { username: 'oidc:alice', groups: ['ops', 'system:authenticated'] } },
    ]);
    expect(asked).toEqual(['/.well-known/openid-configuration', '/keys']);
    const token = await signed(key, { iss: issuer, aud: 'cluster', sub: 'alice' });
    expect(await send({ path: '/api/v1/namespaces', token })).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining('User "oidc:alice" cannot list resource "namespaces"') },
    });
  });

  it('is refused where the rules say so, or a stranger has signed it', async () => {
    expect((await review({ groups: ['system:masters'] })).status).toBe(401);
    expect((await review({}, await issuerKey('one', 'RS256'))).status).toBe(401);
    expect((await review({ aud: 'other' })).status).toBe(401);
  });
});

it.skipIf(!hasKubectl)('is what kubectl shows that logs in by zeroplane login', async () => {
  idToken = await signed(key, { iss: issuer, aud: 'cluster', sub: 'alice', groups: ['ops'] });
  const kubeconfig = join(folder, 'kubeconfig');
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: certificate, KUBECONFIG: kubeconfig };
  const run = promisify(execFile);
  const args = ['--issuer-url', issuer, '--client-id', 'cluster', '--device', '--cache-dir', join(folder, 'cache')];
  args.push('--kubeconfig', kubeconfig, '--server', plane.server, '--ca', join(plane.data, 'pki/ca.crt'));
  await run(process.execPath, [join(ROOT, 'cli/main.ts'), 'login', ...args], { env });
  const { stdout } = await run(KUBECTL, ['auth', 'whoami', '-o', 'json'], { env });
  expect(JSON.parse(stdout)).toMatchObject({
    status: { userInfo: { username: 'oidc:alice', groups: ['ops', 'system:authenticated'] } },
  });
});

it('lets nobody ask without a token but where it says so', async () => {
  expect((await send({ path: '/livez', token: '' })).status).toBe(200);
  expect((await send({ path: '/version', token: '' })).status).toBe(401);
});

it('is said to be wrong in one sentence when it is', async () => {
  writeFileSync(
    file,
    JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AuthenticationConfiguration', jwt: [{}] }),
  );
  const starting = startControlPlane({ nodes: 'none', args: ['--authentication-config', file] });
  await expect(starting).rejects.toThrow(
    /zeroplane: .*the authentication configuration is invalid: jwt\[0\]\.issuer\.url: Required value/,
  );
});
