/** A node follows its cluster's CAs without a start: it asks for a certificate by the one that signs, and serves with it. */
import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { HttpClient } from '../../agent/client.ts';
import { type Listening, startApiProxy } from '../../agent/network/api-proxy.ts';
import { followAuthorities } from '../../agent/network/authorities.ts';
import type { AgentContext, Running } from '../../agent/types.ts';
import { createAuthority, issueApiProxy } from '../../src/api/certificates/authority.ts';
import { GivenCredentials } from '../support/credentials.ts';
import { FakeApi } from '../support/fake-api.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
let api: FakeApi;
let client: HttpClient;
let running: Running | undefined;

beforeEach(async () => {
  api = new FakeApi();
  await api.start();
  client = new HttpClient({ server: api.url, token: () => 'token' });
});
afterEach(async () => {
  await running?.stop();
  client.close();
  await api.stop();
});

it('asks for another credential when the published CAs are others than its own says, and only then', async () => {
  const credentials = new GivenCredentials({ ca: 'old' });
  const publish = (namespace: string, bundle: string): unknown =>
    api.put('core/configmaps', { metadata: { name: 'kube-root-ca.crt', namespace }, data: { 'ca.crt': bundle } });
  publish('kube-system', 'old');
  running = followAuthorities({ client, credentials, log: quiet } as unknown as AgentContext);
  publish('default', 'another');
  publish('kube-system', 'old new');
  await expect.poll(() => credentials.renewals).toBe(1);
  credentials.give({ ca: 'new old' });
  publish('kube-system', 'new old');
  publish('kube-system', 'new');
  await expect.poll(() => credentials.renewals).toBe(2);
});

it('serves the API with the certificate that it was given last', async () => {
  const [before, after] = [await createAuthority(), await createAuthority()];
  const credentials = new GivenCredentials({ apiProxy: await issueApiProxy(before) });
  const context = { credentials, client, nodeIp: '127.0.0.1', log: quiet } as unknown as AgentContext;
  const proxy = (await startApiProxy(context)) as Listening;
  running = proxy;
  const trusts = (ca: string): Promise<boolean> =>
    new Promise((resolve) => {
      const address = { host: '127.0.0.1', port: proxy.port, servername: 'kubernetes.default.svc', ca };
      const socket = tls.connect(address, () => {
        resolve((socket.address() as AddressInfo).port > 0);
        socket.destroy();
      });
      socket.on('error', () => resolve(false));
    });
  const both = [after.certificate, before.certificate].join('\n');
  expect([await trusts(before.certificate), await trusts(after.certificate), await trusts(both)]).toEqual([
    true,
    false,
    true,
  ]);
  credentials.give({ apiProxy: await issueApiProxy(after) });
  expect([await trusts(before.certificate), await trusts(after.certificate), await trusts(both)]).toEqual([
    false,
    true,
    true,
  ]);
});
