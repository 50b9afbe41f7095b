/** An aggregated API server in a pod of a real node, behind an APIService: what clients see of it, and of it being away. */
import { once } from 'node:events';
import https from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { selfSigned } from '../support/certificates.ts';
import { client, type Send } from '../support/https.ts';
import { nodeServer } from '../support/node-server.ts';
import { importImages } from './lab.ts';
import { eventually, hasKubectl, isRoot, kubectl, must } from './support.ts';

const GROUP = 'fortunes.example.org';
const BASE = `/apis/${GROUP}/v1`;
const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const WITHIN = { interval: 250 };

describe.skipIf(!(hasKubectl && isRoot) && process.env['CI'] !== 'true')('an aggregated API', () => {
  let plane: ControlPlane;
  let send: Send;
  let caBundle: string;
  const run = (...args: string[]): Promise<string> => must(plane, args);
  const apply = (...objects: object[]): Promise<string> =>
    must(
      plane,
      ['-n', 'kube-system', 'apply', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
    );
  const register = (spec: object = {}): Promise<string> =>
    apply({
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `v1.${GROUP}` },
      spec: {
        group: GROUP,
        version: 'v1',
        groupPriorityMinimum: 2000,
        versionPriority: 10,
        caBundle,
        service: { namespace: 'kube-system', name: 'fortunes' },
        ...spec,
      },
    });
  const available = (): Promise<string> =>
    run(
      'get',
      'apiservice',
      `v1.${GROUP}`,
      '-o',
      'jsonpath={.status.conditions[0].status} {.status.conditions[0].reason}',
    );

  beforeAll(async () => {
    plane = await startControlPlane({ nodes: 'real' });
    send = client(plane);
    importImages(join(plane.data, 'node/containerd/containerd.sock'));
    const server = await nodeServer({
      name: 'fortunes',
      namespace: 'kube-system',
      program: 'extension-server.mjs',
      args: ['/auth'],
      volumes: [{ name: 'auth', configMap: { name: 'extension-apiserver-authentication' } }],
    });
    caBundle = server.caBundle;
    await apply(...server.objects);
    await register();
    await run('-n', 'kube-system', 'rollout', 'status', 'deployment/fortunes', '--timeout=90s');
    await run('wait', '--for=condition=Available', `apiservice/v1.${GROUP}`, '--timeout=90s');
    // Whoever asks is told by a snapshot that is a second old at most.
    await eventually('served', async () => (await send({ path: BASE })).status === 200);
  });
  afterAll(async () => {
    await plane?.stop();
  });

  it('is served to kubectl: created, listed, deleted', async () => {
    const fortune = {
      apiVersion: `${GROUP}/v1`,
      kind: 'Fortune',
      metadata: { name: 'one' },
      text: 'x'.repeat(100_000),
    };
    await must(plane, ['create', '-f', '-'], JSON.stringify(fortune));
    expect(await run('get', 'fortunes', '-o', 'name')).toBe(`fortune.${GROUP}/one\n`);
    const told = JSON.parse(await run('get', 'ft', 'one', '-o', 'json')) as Record<string, unknown>;
    expect(told).toMatchObject({
      size: 100_000,
      groups: expect.arrayContaining(['system:masters', 'system:authenticated']),
    });
    expect((await kubectl(plane, ['get', 'fortunes', 'none'])).stderr).toContain(`fortunes.${GROUP} "none" not found`);
    await run('delete', 'fortune', 'one');
    expect(await run('get', 'fortunes', '-A', '-o', 'name')).toBe('');
  });

  it('does not believe a client who says that it is somebody else', async () => {
    const headers = { 'x-remote-user': 'root', 'X-Remote-Group': 'everybody', 'content-type': 'application/json' };
    const body = { metadata: { name: 'liar' } };
    const { status, body: made } = await send({
      method: 'POST',
      path: `${BASE}/namespaces/default/fortunes`,
      headers,
      body,
    });
    expect(status).toBe(201);
    expect(made['user']).not.toBe('root');
    expect(made['groups']).not.toContain('everybody');
    const anonymous = await send({ path: `${BASE}/namespaces/default/fortunes`, token: '' });
    expect(anonymous.status).toBe(403);
  });

  it('is told whom a client impersonates, and not to impersonate', async () => {
    const fortune = { apiVersion: `${GROUP}/v1`, kind: 'Fortune', metadata: { name: 'for-another' } };
    const another = ['--as', 'another', '--as-group', 'system:masters'];
    const made = await must(plane, ['create', '-f', '-', '-o', 'json', ...another], JSON.stringify(fortune));
    expect(JSON.parse(made)).toMatchObject({ user: 'another', groups: ['system:masters', 'system:authenticated'] });
    await run('delete', 'fortune', 'for-another', ...another);
  });

  it('loses what it has in a namespace with the namespace', async () => {
    await run('create', 'namespace', 'brief');
    const path = (namespace: string): string => `${BASE}/namespaces/${namespace}/fortunes`;
    for (const namespace of ['brief', 'default']) {
      await send({ method: 'POST', path: path(namespace), body: { metadata: { name: 'last' } } });
    }
    await run('delete', 'namespace', 'brief', '--timeout=30s');
    expect((await send({ path: path('brief') })).body['items']).toEqual([]);
    expect((await send({ path: `${path('default')}/last` })).status).toBe(200);
    await run('delete', 'fortune', 'last');
  });

  it('streams a watch: what happens is heard while it goes on', async () => {
    let text = '';
    const watching = https.get(
      `${plane.server}${BASE}/fortunes?watch=1`,
      { rejectUnauthorized: false, headers: { authorization: `Bearer ${plane.token}` } },
      (response) =>
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        }),
    );
    watching.on('error', () => {});
    await once(watching, 'response');
    for (const name of ['w0', 'w1', 'w2']) {
      await send({ method: 'POST', path: `${BASE}/namespaces/default/fortunes`, body: { metadata: { name } } });
      await expect.poll(() => text, WITHIN).toContain(`"name":"${name}"`);
    }
    watching.destroy();
  });

  it('is in discovery and in OpenAPI', async () => {
    const plain = await send({ path: '/apis' });
    expect(JSON.stringify(plain.body['groups'])).toContain(`"${GROUP}/v1"`);
    const merged = await send({ path: '/apis', headers: { accept: AGGREGATED } });
    const group = (merged.body.items as { metadata: { name: string }; versions: object[] }[]).find(
      ({ metadata }) => metadata.name === GROUP,
    );
    expect(group?.versions).toMatchObject([
      { version: 'v1', freshness: 'Current', resources: [{ resource: 'fortunes', shortNames: ['ft'] }] },
    ]);
    expect(await run('api-resources', '--api-group', GROUP)).toContain('fortunes');
    expect(await run('explain', 'fortunes')).toContain('A fortune that was told.');
  });

  it('refuses to become another protocol', async () => {
    const answer = await send({ path: `${BASE}/fortunes`, headers: { connection: 'upgrade', upgrade: 'spdy/3.1' } });
    expect(answer.status).toBe(400);
  });

  it('is unavailable, and nothing else is, while its server is away; and comes back', async () => {
    await run('-n', 'kube-system', 'scale', 'deployment/fortunes', '--replicas=0');
    await expect.poll(available, WITHIN).toBe('False MissingEndpoints');
    await expect
      .poll(() => send({ path: `${BASE}/fortunes` }).then((a) => `${a.status} ${a.text}`), WITHIN)
      .toBe('503 service unavailable\n');
    const merged = await send({ path: '/apis', headers: { accept: AGGREGATED } });
    const group = (merged.body.items as { metadata: { name: string }; versions: { freshness: string }[] }[]).find(
      ({ metadata }) => metadata.name === GROUP,
    );
    expect(group?.versions[0]?.freshness).toBe('Stale');
    expect(await run('get', 'deployments', '-A', '-o', 'name')).toContain('deployment');
    await run('-n', 'kube-system', 'scale', 'deployment/fortunes', '--replicas=1');
    await expect.poll(available, WITHIN).toBe('True Passed');
    await expect.poll(() => send({ path: `${BASE}/fortunes` }).then((a) => a.status), WITHIN).toBe(200);
  });

  it('is not believed with a certificate of somebody else', async () => {
    const { cert } = await selfSigned('fortunes.kube-system.svc');
    await register({ caBundle: Buffer.from(cert).toString('base64') });
    await expect
      .poll(() => send({ path: `${BASE}/fortunes` }).then((a) => `${a.status} ${a.text}`), WITHIN)
      .toContain('503 error trying to reach service: tls: failed to verify certificate');
    await register({ caBundle: null, insecureSkipTLSVerify: true });
    await expect.poll(() => send({ path: `${BASE}/fortunes` }).then((a) => a.status), WITHIN).toBe(200);
  });
});
