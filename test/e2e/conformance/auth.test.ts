/** Service accounts, reviews and certificates, by the names of Kubernetes' conformance tests. */
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TokenRequest, TokenReview } from '../../../src/generated/types/authentication.v1.ts';
import type { SelfSubjectAccessReview, SubjectAccessReview } from '../../../src/generated/types/authorization.v1.ts';
import type { CertificateSigningRequest } from '../../../src/generated/types/certificates.v1.ts';
import type { ConfigMap, Pod, ServiceAccount } from '../../../src/generated/types/core.v1.ts';
import { Cluster } from './cluster.ts';
import { pod, unscheduled } from './objects.ts';
import { operations } from './operations.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(() => cluster?.stop());

describe.concurrent('[sig-auth] ServiceAccounts', () => {
  it('should create a serviceAccountToken and ensure a successful TokenReview', async () => {
    const ns = await cluster.namespace();
    const accounts = ns.of<ServiceAccount>('v1', 'serviceaccounts');
    await accounts.create({ metadata: { name: 'sa' } });
    const { status } = (await accounts.post('sa', 'token', { spec: {} })) as TokenRequest;
    const review = await cluster
      .of<TokenReview & { metadata: { name: string } }>('authentication.k8s.io/v1', 'tokenreviews')
      .create({ metadata: { name: 'review' }, spec: { token: status?.token } });
    expect(review.status).toMatchObject({
      authenticated: true,
      user: { username: `system:serviceaccount:${ns.name}:sa` },
    });
    expect(review.status?.error ?? '').toBe('');
  });

  it('should allow opting out of API token automount', async () => {
    const ns = await cluster.namespace();
    const accounts = ns.of<ServiceAccount>('v1', 'serviceaccounts');
    const pods = ns.of<Pod>('v1', 'pods');
    await accounts.create({ metadata: { name: 'mount' }, automountServiceAccountToken: true });
    await accounts.create({ metadata: { name: 'nomount' }, automountServiceAccountToken: false });
    const PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
    for (const [account, own, mounted] of [
      ['default', undefined, true],
      ['mount', undefined, true],
      ['nomount', undefined, false],
      ['default', true, true],
      ['mount', true, true],
      ['nomount', true, true],
      ['default', false, false],
      ['mount', false, false],
      ['nomount', false, false],
    ] as const) {
      const spec = unscheduled({ serviceAccountName: account, automountServiceAccountToken: own });
      const made = await pods.create(pod(`${account}-${own ?? 'unset'}`, spec));
      const paths = made.spec?.containers?.[0]?.volumeMounts?.map(({ mountPath }) => mountPath) ?? [];
      expect([account, own, paths.includes(PATH)]).toEqual([account, own, mounted]);
    }
  });

  it('should run through the lifecycle of a ServiceAccount', async () => {
    const ns = await cluster.namespace();
    const accounts = ns.of<ServiceAccount>('v1', 'serviceaccounts');
    await operations(accounts, {}, { automountServiceAccountToken: false });
  });

  it('should update a ServiceAccount', async () => {
    const accounts = (await cluster.namespace()).of<ServiceAccount>('v1', 'serviceaccounts');
    await accounts.create({ metadata: { name: 'sa' } });
    const updated = await accounts.update('sa', (account) => {
      account.automountServiceAccountToken = true;
    });
    expect(updated.automountServiceAccountToken).toBe(true);
  });

  it('should guarantee kube-root-ca.crt exist in any namespace', async () => {
    const maps = (await cluster.namespace()).of<ConfigMap>('v1', 'configmaps');
    const name = 'kube-root-ca.crt';
    const certificate = (map: ConfigMap): string | undefined => map.data?.['ca.crt'];
    const right = certificate(await maps.until(name, () => true));
    expect(right).toContain('BEGIN CERTIFICATE');
    await maps.delete(name);
    await maps.until(name, (map) => certificate(map) === right);
    await maps.update(name, (map) => {
      map.data = { 'ca.crt': '' };
    });
    await maps.until(name, (map) => certificate(map) === right);
  });
});

describe.concurrent('[sig-auth] SubjectReview', () => {
  it('should support SubjectReview API operations', async () => {
    const ns = await cluster.namespace();
    await ns.of<ServiceAccount>('v1', 'serviceaccounts').create({ metadata: { name: 'sa' } });
    const group = 'authorization.k8s.io/v1';
    const resourceAttributes = { namespace: ns.name, verb: 'list', resource: 'configmaps', version: 'v1' };
    const user = `system:serviceaccount:${ns.name}:sa`;
    type Named<T> = T & { metadata: { name: string } };
    const anywhere = cluster.of<Named<SubjectAccessReview>>(group, 'subjectaccessreviews');
    const review = { spec: { user, resourceAttributes } };
    expect((await anywhere.create(review)).status?.allowed).toBe(false);
    const local = ns.of<Named<SubjectAccessReview>>(group, 'localsubjectaccessreviews');
    expect((await local.create(review)).status?.allowed).toBe(false);
    const mine = cluster.of<Named<SelfSubjectAccessReview>>(group, 'selfsubjectaccessreviews');
    expect((await mine.create({ spec: { resourceAttributes } })).status?.allowed).toBe(true);
  });
});

async function certificateRequest(): Promise<string> {
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' };
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=e2e-example-com',
    keys,
    signingAlgorithm,
  });
  return Buffer.from(request.toString('pem')).toString('base64');
}

describe.concurrent('[sig-auth] Certificates API', () => {
  it('should support CSR API operations', async () => {
    const requests = cluster.of<CertificateSigningRequest>('certificates.k8s.io/v1', 'certificatesigningrequests');
    const signerName = 'example.com/e2e';
    const spec = { request: await certificateRequest(), signerName, usages: ['digital signature', 'key encipherment'] };
    await requests.create({ metadata: { name: 'approved' }, spec });
    const approval = { type: 'Approved', status: 'True', reason: 'E2E', message: 'Approved from a test' };
    const approve = { status: { conditions: [approval] } };
    const approved = await requests.patch('approved', approve, { subresource: 'approval' });
    expect(approved.status?.conditions).toEqual([expect.objectContaining(approval)]);
    expect((await requests.get('approved', 'approval')).status?.conditions).toHaveLength(1);
    const failed = { type: 'Failed', status: 'True', reason: 'E2E', message: 'Set from a test' };
    const updated = await requests.update('approved', ({ status }) => status?.conditions?.push(failed), 'status');
    expect(updated.status?.conditions?.map(({ type }) => type)).toEqual(['Approved', 'Failed']);
    expect((await requests.get('approved', 'status')).status?.conditions).toHaveLength(2);
    await requests.delete('approved');
    await operations(requests, { spec }, {});
  });
});
