/** The four built-in signers: what they take, what they make of it, and what becomes of the request. */
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { describe, expect, it } from 'vitest';
import { createAuthority, signRequest } from '../../src/api/certificates/authority.ts';
import { examine, nodeRequestKinds } from '../../src/api/certificates/signers.ts';
import {
  certificateApprover,
  certificateCleaner,
  certificateSigner,
} from '../../src/controllers/certificatesigningrequest/index.ts';
import { Simulation } from '../../src/controllers/client/simulation.ts';
import type { CertificateSigningRequest as Request } from '../../src/generated/types/certificates.v1.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
async function csr(name: string, ...names: x509.JsonGeneralName[]): Promise<string> {
  const keys = (await crypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify'])) as CryptoKeyPair;
  const extensions = names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)];
  const made = await x509.Pkcs10CertificateRequestGenerator.create({
    name,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions,
  });
  return btoa(made.toString('pem'));
}

const KUBELET = 'CN=system:node:a, O=system:nodes';
const CLIENT = 'kubernetes.io/kube-apiserver-client-kubelet';
const SERVING = 'kubernetes.io/kubelet-serving';
const DNS = { type: 'dns', value: 'a' } as const;

describe('a signer', () => {
  it.each<[string, string, x509.JsonGeneralName[], string[], string | undefined]>([
    [CLIENT, KUBELET, [], ['client auth', 'digital signature'], undefined],
    [CLIENT, 'CN=system:node:a, O=dev', [], ['client auth'], 'subject organization is not system:nodes'],
    [
      CLIENT,
      'CN=system:node:a, O=system:nodes, O=system:masters',
      [],
      ['client auth'],
      'subject organization is not system:nodes',
    ],
    [CLIENT, 'CN=a, O=system:nodes', [], ['client auth'], 'subject common name does not begin with system:node:'],
    [CLIENT, KUBELET, [DNS], ['client auth'], 'DNS subjectAltNames are not allowed'],
    [
      CLIENT,
      KUBELET,
      [],
      ['client auth', 'server auth'],
      'usages did not match ["digital signature", "key encipherment", "client auth"]',
    ],
    [SERVING, KUBELET, [DNS], ['server auth', 'key encipherment'], undefined],
    [SERVING, KUBELET, [], ['server auth'], 'DNS or IP subjectAltName is required'],
    [
      SERVING,
      KUBELET,
      [DNS, { type: 'url', value: 'https://x' }],
      ['server auth'],
      'URI subjectAltNames are not allowed',
    ],
    ['kubernetes.io/kube-apiserver-client', 'CN=alice', [], ['client auth'], undefined],
    ['kubernetes.io/legacy-unknown', 'CN=alice', [], ['any'], undefined],
  ])('%s of %s %j for %j', async (signerName, name, names, usages, problem) => {
    const examined = examine({ signerName, request: await csr(name, ...names), usages });
    expect(examined).toEqual(problem === undefined ? {} : { problem });
  });

  it('of somebody else is left to them', () => {
    expect(examine({ signerName: 'example.com/own', request: '', usages: [] })).toBeUndefined();
  });

  it('knows a node’s own renewal from a first certificate', async () => {
    const spec = { signerName: CLIENT, request: await csr(KUBELET), usages: ['client auth'] };
    expect(nodeRequestKinds({ ...spec, username: 'system:node:a' })).toEqual(['selfnodeclient', 'nodeclient']);
    expect(nodeRequestKinds({ ...spec, username: 'system:bootstrap:abcdef' })).toEqual(['nodeclient']);
    expect(nodeRequestKinds({ ...spec, usages: ['server auth'] })).toEqual([]);
  });
});

describe('a certificate', () => {
  it('is what was asked for, and signs no others', async () => {
    const authority = await createAuthority();
    const request = await csr(KUBELET, DNS);
    const usages = ['server auth', 'digital signature'];
    const pem = await signRequest(authority, { request, usages, signerName: SERVING, expirationSeconds: 3600 });
    const made = new x509.X509Certificate(pem);
    const ca = new x509.X509Certificate(authority.certificate);
    expect(await made.verify({ publicKey: ca.publicKey })).toBe(true);
    expect(made.subjectName.getField('CN')).toEqual(['system:node:a']);
    expect(made.getExtension(x509.BasicConstraintsExtension)?.ca).toBe(false);
    expect(made.getExtension(x509.ExtendedKeyUsageExtension)?.usages).toEqual([x509.ExtendedKeyUsage.serverAuth]);
    expect(made.getExtension(x509.KeyUsagesExtension)?.usages).toBe(x509.KeyUsageFlags.digitalSignature);
    expect(made.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON()).toEqual([DNS]);
    expect(Math.abs(made.notAfter.getTime() - Date.now() - 3_600_000)).toBeLessThan(10_000);
  });
});

describe('a request', () => {
  const REQUESTS = 'certificates.k8s.io/certificatesigningrequests';
  const controllers = [certificateApprover, certificateSigner, certificateCleaner];
  const approve = { conditions: [{ type: 'Approved', status: 'True' }] };
  const story = async (
    certificates: NonNullable<ConstructorParameters<typeof Simulation>[0]>['certificates'],
    spec: Request['spec'],
    status?: Request['status'],
  ) => {
    const simulation = new Simulation({ controllers, ...(certificates === undefined ? {} : { certificates }) });
    await simulation.cluster.create<Request>(REQUESTS, {
      metadata: { name: 'r' },
      spec: { ...spec },
      status: { ...status },
    });
    await simulation.settle();
    return { simulation, request: await simulation.cluster.get<Request>(REQUESTS, '', 'r') };
  };
  const signs = { sign: async () => ({ certificate: 'PEM' }) };

  it('of a node that may is approved and signed', async () => {
    const { request } = await story({ ...signs, approval: async () => 'because' }, { signerName: CLIENT });
    expect(request?.status?.conditions).toMatchObject([
      { type: 'Approved', reason: 'AutoApproved', message: 'because' },
    ]);
    expect(request?.status?.certificate).toBe(btoa('PEM'));
  });

  it('of anybody else waits for somebody', async () => {
    expect((await story(signs, { signerName: SERVING })).request?.status?.certificate).toBeUndefined();
    expect((await story(signs, { signerName: SERVING }, approve)).request?.status?.certificate).toBe(btoa('PEM'));
  });

  it('that is denied is never signed', async () => {
    const status = { conditions: [...approve.conditions, { type: 'Denied', status: 'True' }] };
    expect((await story(signs, { signerName: SERVING }, status)).request?.status?.certificate).toBeUndefined();
  });

  it('that its signer does not take has failed', async () => {
    const { request } = await story({ sign: async () => ({ problem: 'no' }) }, { signerName: SERVING }, approve);
    expect(request?.status?.conditions?.[1]).toMatchObject({
      type: 'Failed',
      reason: 'SignerValidationFailure',
      message: 'no',
    });
  });
});
