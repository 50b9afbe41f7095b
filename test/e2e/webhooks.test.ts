/** Webhooks at a URL whose certificate is of a CA of their own: a node calls them, with the agent's own tunnel, and verifies who answers. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '../../agent/log.ts';
import type { StreamHandler } from '../../agent/streaming/request.ts';
import { serviceHandler } from '../../agent/streaming/service.ts';
import { startTunnel } from '../../agent/tunnel/session.ts';
import type { Running } from '../../agent/types.ts';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { bootstrapSecret, requestCredential } from '../../cli/up/credentials.ts';
import { selfSigned } from '../support/certificates.ts';
import { type Answered, client, type Send } from '../support/https.ts';
import { eventually, hasKubectl, must } from './support.ts';

const NODE = 'sim-1';
const GROUP = 'hooks.example.org';
const WITHIN = { interval: 200 };

interface Review {
  apiVersion: string;
  kind: string;
  request: {
    uid: string;
    operation?: string;
    desiredAPIVersion?: string;
    objects?: { apiVersion: string }[];
  };
}

describe('a webhook at a URL with a CA of its own', () => {
  let plane: ControlPlane;
  let send: Send;
  let tunnel: Running | undefined;
  let server: https.Server;
  /** By the host that the URL names. */
  const urls: Record<string, string> = {};
  const bundles: Record<string, string> = {};
  const asked: string[] = [];

  const none: StreamHandler = () => Promise.reject(new Error('not here'));
  /** Says what is to be run, and where. */
  const exec: StreamHandler = async ({ container, query }, socket) => {
    const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' };
    const command = new URLSearchParams(query).getAll('command').join(' ');
    socket.resume();
    socket.send(Buffer.from(`\u0001${container}: ${command}\n`));
    socket.send(Buffer.from(`\u0003${JSON.stringify(status)}`));
    socket.close(1000);
  };

  beforeAll(async () => {
    plane = await startControlPlane({ nodes: 'simulated=1' });
    send = client(plane);
    const pairs = new Map<string, { cert: string; key: string }>();
    for (const host of ['localhost', '127.0.0.1', 'stranger']) {
      const pair = await selfSigned(host);
      pairs.set(host, pair);
      bundles[host] = Buffer.from(pair.cert).toString('base64');
    }
    // Without a name in the handshake it is called by its address.
    server = https.createServer(pairs.get('127.0.0.1') ?? {}, (request, response) => {
      asked.push(`${request.method} ${request.headers.host} ${request.url}`);
      if (request.url?.startsWith('/slow')) return;
      if (request.url?.startsWith('/large')) response.write(Buffer.alloc(4 << 20, ' '));
      if (request.url?.startsWith('/wide')) response.write(Buffer.alloc(2 << 20, ' '));
      void readReview(request).then((review) => response.end(JSON.stringify(answerTo(review))));
    });
    server.addContext('localhost', pairs.get('localhost') ?? {});
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    for (const host of ['localhost', '127.0.0.1']) urls[host] = `https://${host}:${port}/hook`;
  });
  afterAll(async () => {
    await tunnel?.stop();
    server?.closeAllConnections();
    server?.close();
    await plane?.stop();
  });

  async function connectNode(): Promise<void> {
    const config = readFileSync(plane.kubeconfig, 'utf8');
    const ca = Buffer.from(/certificate-authority-data: (\S+)/.exec(config)?.[1] ?? '', 'base64').toString();
    const identity = { user: `system:node:${NODE}`, groups: ['system:nodes'], ttlSeconds: 600 };
    const { token } = await requestCredential(plane.server, await bootstrapSecret(plane.data), identity, ca);
    const opened = Promise.withResolvers<void>();
    const log = createLog('test');
    const info = (message: string): void => {
      if (message === 'session open') opened.resolve();
    };
    const handlers = { exec, attach: none, portforward: none, log: none, proxy: none, service: serviceHandler };
    tunnel = startTunnel({
      server: plane.server,
      ca,
      nodeName: NODE,
      token: () => token,
      log: { ...log, info },
      handlers,
    });
    await opened.promise;
  }

  /** Makes the one webhook, and asks until it is heard of; what becomes of a ConfigMap then. */
  async function under(url: string, caBundle: string, failurePolicy = 'Fail'): Promise<Answered> {
    await makeWebhook({ url, caBundle }, { failurePolicy });
    const path = '/api/v1/namespaces/default/configmaps?dryRun=All';
    return send({ method: 'POST', path, body: { metadata: { name: 'c' }, data: { a: 'b' } } });
  }
  async function makeWebhook(clientConfig: object, more: object): Promise<void> {
    const base = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
    await send({ method: 'DELETE', path: `${base}/w` });
    const webhook = {
      name: 'w.example.com',
      rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }],
      clientConfig,
      sideEffects: 'None',
      timeoutSeconds: 10,
      admissionReviewVersions: ['v1'],
      ...more,
    };
    const made = await send({ method: 'POST', path: base, body: { metadata: { name: 'w' }, webhooks: [webhook] } });
    expect(made.status).toBe(201);
  }
  const failed = (url: string, why: string): string =>
    `Internal error occurred: failed calling webhook "w.example.com": failed to call webhook: Post "${url}?timeout=10s": ${why}`;

  it('fails while no node is connected, as its failure policy says', async () => {
    const { localhost: url = '' } = urls;
    const { body } = await under(url, bundles['localhost'] ?? '');
    expect(body.message).toBe(failed(url, 'error dialing backend: node "sim-1" is not connected'));
    expect((await under(url, bundles['localhost'] ?? '', 'Ignore')).status).toBe(201);
    expect(asked).toEqual([]);
  });

  it.each(['localhost', '127.0.0.1'])('is called through a node: %s', async (host) => {
    if (tunnel === undefined) await connectNode();
    asked.length = 0;
    const { [host]: url = '' } = urls;
    const { body } = await under(url, bundles[host] ?? '');
    expect(body).toMatchObject({ data: { a: 'b', asked: 'yes' } });
    expect(asked).toEqual([`POST ${new URL(url).host} /hook?timeout=10s`]);
  });

  it.each<[string, string, RegExp]>([
    ['of another CA', 'stranger', /tls: failed to verify certificate: x509: certificate signed by unknown authority$/],
    ['of another name', '127.0.0.1', /tls: failed to verify certificate: x509: /],
  ])('is not believed when its certificate is %s', async (_, ca, why) => {
    asked.length = 0;
    const { localhost: url = '' } = urls;
    const { status, body } = await under(url, bundles[ca] ?? '');
    expect([status, body.reason]).toEqual([500, 'InternalError']);
    expect(body.message).toContain(failed(url, ''));
    expect(body.message).toMatch(why);
    expect(asked).toEqual([]);
  });

  it('is heard to the end', async () => {
    const { body } = await under(new URL('/wide', urls['localhost']).href, bundles['localhost'] ?? '');
    expect(body).toMatchObject({ data: { asked: 'yes' } });
  });

  it.each([
    ['slow', 'context deadline exceeded'],
    ['large', 'http: response body too large'],
  ])('may not be %s', async (path, why) => {
    const url = new URL(`/${path}`, urls['localhost']).href;
    expect((await under(url, bundles['localhost'] ?? '')).body.message).toBe(failed(url, why));
  });

  it('is said to be away when it is', async () => {
    const { body } = await under('https://localhost:1/', bundles['localhost'] ?? '');
    expect(body.message).toMatch(
      /Post "https:\/\/localhost:1\/\?timeout=10s": dial tcp \S+:1: connect: connection refused$/,
    );
  });

  it.skipIf(!hasKubectl && process.env['CI'] !== 'true')('changes what kubectl exec runs, and where', async () => {
    const container = (name: string): object => ({ name, image: 'x' });
    const pod = { metadata: { name: 'two' }, spec: { nodeName: NODE, containers: [container('a'), container('b')] } };
    await eventually('made', async () => {
      const { status } = await send({ method: 'POST', path: '/api/v1/namespaces/default/pods', body: pod });
      return status === 201;
    });
    await must(plane, ['wait', '--for=condition=Ready', 'pod/two', '--timeout=90s']);
    expect(await must(plane, ['exec', 'two', '-c', 'a', '--', 'ls', '-l'])).toBe('a: ls -l\n');
    const rules = [{ operations: ['CONNECT'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods/exec'] }];
    await makeWebhook({ url: urls['localhost'], caBundle: bundles['localhost'] }, { rules });
    expect(await must(plane, ['exec', 'two', '-c', 'a', '--', 'ls', '-l'])).toBe('b: echo ls -l\n');
  });

  it('converts custom resources', async () => {
    await send({ method: 'DELETE', path: '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/w' });
    const version = (name: string, storage: boolean): object => ({
      name,
      served: true,
      storage,
      schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
    });
    const clientConfig = { url: urls['localhost'], caBundle: bundles['localhost'] };
    const spec = {
      group: GROUP,
      scope: 'Namespaced',
      names: { plural: 'things', kind: 'Thing' },
      versions: [version('v1', true), version('v2', false)],
      conversion: { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig } },
    };
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    await send({ method: 'POST', path: definitions, body: { metadata: { name: `things.${GROUP}` }, spec } });
    const at = (apiVersion: string): string => `/apis/${GROUP}/${apiVersion}/namespaces/default/things`;
    await eventually('served', async () => (await send({ path: at('v2') })).status === 200);
    const thing = { apiVersion: `${GROUP}/v1`, kind: 'Thing', metadata: { name: 'a' } };
    expect((await send({ method: 'POST', path: at('v1'), body: thing })).status).toBe(201);
    await expect
      .poll(async () => (await send({ path: `${at('v2')}/a` })).body, WITHIN)
      .toMatchObject({ apiVersion: `${GROUP}/v2`, asked: 'yes' });
  });
});

async function readReview(request: AsyncIterable<Buffer>): Promise<Review> {
  let text = '';
  for await (const chunk of request) text += chunk.toString();
  return JSON.parse(text) as Review;
}

/** Allows what it is asked about, with a mark, and execs elsewhere; converts by the version alone, with a mark. */
function answerTo({ apiVersion, kind, request }: Review): object {
  const { uid, objects, desiredAPIVersion, operation } = request;
  if (objects === undefined) {
    const add = (path: string, value: string): object => ({ op: 'add', path, value });
    const exec = [add('/container', 'b'), add('/command/0', 'echo')];
    const patch = btoa(JSON.stringify(operation === 'CONNECT' ? exec : [add('/data/asked', 'yes')]));
    return { apiVersion, kind, response: { uid, allowed: true, patch, patchType: 'JSONPatch' } };
  }
  const convertedObjects = objects.map((object) => ({ ...object, apiVersion: desiredAPIVersion, asked: 'yes' }));
  return { apiVersion, kind, response: { uid, result: { status: 'Success' }, convertedObjects } };
}
