/** The cluster's CA is replaced while the cluster is at work: whoever holds the old one learns of the new one, and then forgets the old one. */
import { execFile, execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HttpClient } from '../../agent/client.ts';
import { caHash, certificatesOf } from '../../agent/discovery.ts';
import { ROOT } from '../../cli/command.ts';
import type { Keys } from '../../cli/commands/keys.ts';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import type { CertificateSigningRequest } from '../../src/generated/types/certificates.v1.ts';
import type { ConfigMap, Node, Secret } from '../../src/generated/types/core.v1.ts';
import { Lab, type Machine } from './lab.ts';
import { isRoot } from './support.ts';

const run = promisify(execFile);
const REQUESTS = 'certificates.k8s.io/certificatesigningrequests';
const folder = mkdtempSync(join(tmpdir(), 'zeroplane-ca-'));

let lab: Lab | undefined;
let plane: ControlPlane;
let admin: HttpClient;
/** The certificates of the old CA and of the new one. */
let old = '';
let young = '';

beforeAll(async () => {
  if (isRoot) lab = new Lab();
  plane = await startControlPlane({ nodes: 'none', ...(lab && { address: lab.address }) });
  const ca = readFileSync(join(plane.data, 'pki/ca.crt'), 'utf8');
  admin = new HttpClient({ server: plane.server, ca, token: () => plane.token });
});
afterAll(async () => {
  admin?.close();
  await lab?.close();
  await plane?.stop();
  rmSync(folder, { recursive: true });
});

async function keys(...args: string[]): Promise<Keys> {
  const options = ['--server', plane.server, '--ca', join(plane.data, 'pki/ca.crt'), '--output', 'json'];
  const env = { ...process.env, BOOTSTRAP_SECRET: readFileSync(join(plane.data, 'bootstrap-secret'), 'utf8').trim() };
  const { stdout } = await run(process.execPath, [join(ROOT, 'cli/main.ts'), 'keys', ...args, ...options], { env });
  return JSON.parse(stdout) as Keys;
}

const idOf = (pem: string): string => caHash(pem).slice('sha256:'.length, 'sha256:'.length + 16);

/** The CAs by everybody who holds them: ids by the holder. */
async function held(): Promise<Record<string, string[]>> {
  const map = async (namespace: string, name: string, key: string): Promise<string> =>
    (await admin.get<ConfigMap>('core/configmaps', namespace, name))?.data?.[key] ?? '';
  const secret = await admin.get<Secret>('core/secrets', 'default', 'token');
  const bundles = {
    default: await map('default', 'kube-root-ca.crt', 'ca.crt'),
    system: await map('kube-system', 'kube-root-ca.crt', 'ca.crt'),
    clients: await map('kube-system', 'extension-apiserver-authentication', 'client-ca-file'),
    proxy: await map('kube-system', 'extension-apiserver-authentication', 'requestheader-client-ca-file'),
    secret: atob(secret?.data?.['ca.crt'] ?? ''),
  };
  return Object.fromEntries(
    Object.entries(bundles).map(([name, bundle]) => [name, certificatesOf(bundle).map(idOf).sort()]),
  );
}

const all = (...pems: string[]): Record<string, string[]> =>
  Object.fromEntries(['default', 'system', 'clients', 'proxy', 'secret'].map((name) => [name, pems.map(idOf).sort()]));

/** Asks for a certificate, approves it, and answers with it. */
async function certificate(name: string): Promise<X509Certificate> {
  const file = join(folder, name);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout', `${file}.key`];
  execFileSync('openssl', ['req', '-new', '-nodes', ...key, '-out', file, '-subj', `/CN=${name}`], { stdio: 'pipe' });
  const made = await admin.create<CertificateSigningRequest>(REQUESTS, {
    metadata: { name },
    spec: {
      request: readFileSync(file).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
    },
  });
  const conditions = [{ type: 'Approved', status: 'True', reason: 'Test', message: '' }];
  await admin.update<CertificateSigningRequest>(REQUESTS, { ...made, status: { conditions } }, 'approval');
  let pem = '';
  await expect
    .poll(async () => {
      const request = await admin.get<CertificateSigningRequest>(REQUESTS, '', name);
      pem = atob(request?.status?.certificate ?? '');
      return pem;
    })
    .toContain('BEGIN CERTIFICATE');
  return new X509Certificate(pem);
}

const isBy = (signed: X509Certificate, ca: string): boolean => signed.verify(new X509Certificate(ca).publicKey);

/** Whether who trusts a CA alone trusts the API as a machine serves it to its pods. */
function trusts(machine: Machine, ca: string): string {
  const script = `
    const options = { host: '10.96.0.1', port: 443, servername: 'kubernetes.default.svc', ca: ${JSON.stringify(ca)}, timeout: 10_000 };
    const socket = require('tls').connect(options, () => { console.log('trusted'); socket.destroy(); });
    socket.on('error', (error) => console.log(error.code)).on('timeout', () => socket.destroy(new Error('late')));`;
  const args = [`--net=/run/netns/${machine.netns}`, process.execPath, '-e', script];
  return execFileSync('nsenter', args, { encoding: 'utf8' }).trim();
}

async function joined(name: string): Promise<Machine> {
  const machine = await (lab as Lab).join(plane, name);
  const ready = async (): Promise<string | undefined> =>
    (await admin.get<Node>('core/nodes', '', name))?.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  await expect.poll(ready, { timeout: 120_000 }).toBe('True');
  return machine;
}

describe('the cluster’s CA', () => {
  it('is one at first, held by all', async () => {
    await expect.poll(() => admin.get('core/serviceaccounts', 'default', 'default')).toBeDefined();
    const annotations = { 'kubernetes.io/service-account.name': 'default' };
    await admin.create<Secret>('core/secrets', {
      metadata: { name: 'token', namespace: 'default', annotations },
      type: 'kubernetes.io/service-account-token',
    });
    const { authorities } = await keys('list');
    expect(authorities).toMatchObject([{ state: 'signs' }]);
    const map = await admin.get<ConfigMap>('core/configmaps', 'default', 'kube-root-ca.crt');
    old = map?.data?.['ca.crt'] ?? '';
    expect(idOf(old)).toBe(authorities[0]?.id);
    await expect.poll(held).toEqual(all(old));
    expect(isBy(await certificate('before'), old)).toBe(true);
  });

  let early: Machine;
  it.skipIf(!isRoot)('is what a node serves the API by', async () => {
    early = await joined('early');
    await expect.poll(() => trusts(early, old)).toBe('trusted');
  });

  it('is followed by another, which all hold within seconds, and which signs', async () => {
    const { authorities } = await keys('rotate', '--only', 'ca', '--now');
    expect(authorities.map(({ state }) => state)).toEqual(['next', 'signs']);
    await expect.poll(async () => Object.values(await held()).map((ids) => ids.length)).toEqual([2, 2, 2, 2, 2]);
    const map = await admin.get<ConfigMap>('core/configmaps', 'default', 'kube-root-ca.crt');
    young = certificatesOf(map?.data?.['ca.crt'] ?? '').find((pem) => idOf(pem) === authorities[0]?.id) ?? '';
    expect(await held()).toEqual(all(old, young));
    const states = async (): Promise<string[]> => (await keys('list')).authorities.map(({ state }) => state);
    await expect.poll(states).toEqual(['signs', 'trusted']);
    const after = await certificate('after');
    expect([isBy(after, young), isBy(after, old)]).toEqual([true, false]);
  });

  it.skipIf(!isRoot)('is served by the nodes that there are and by those that join', async () => {
    const late = await joined('late');
    for (const machine of [early, late]) {
      await expect.poll(() => trusts(machine, young)).toBe('trusted');
      expect(trusts(machine, old)).not.toBe('trusted');
    }
  });

  it('is forgotten by all when it is retired, but not while it signs', async () => {
    await expect(keys('retire', idOf(young))).rejects.toThrow('it signs: rotate the CA first');
    expect((await keys('retire', idOf(old))).authorities).toMatchObject([{ id: idOf(young), state: 'signs' }]);
    await expect.poll(held).toEqual(all(young));
    await expect(keys('retire', idOf(old))).rejects.toThrow('not found');
    if (isRoot) expect(trusts(early, young)).toBe('trusted');
    expect(isBy(await certificate('later'), young)).toBe(true);
  });
});
