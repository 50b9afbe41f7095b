/** Who decides on certificate requests, and what none may ask for. */
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { describe, expect, it } from 'vitest';
import {
  certificateApproval,
  certificateSigning,
  certificateSubjectRestriction,
} from '../../src/api/admission/certificates.ts';
import type { AdmissionPlugin, Attributes } from '../../src/api/admission/plugin.ts';
import { Authorizer } from '../../src/api/authorization/authorizer.ts';
import { StatusError } from '../../src/apimachinery/errors.ts';
import type { CertificateSigningRequest } from '../../src/generated/types/certificates.v1.ts';
import { resourceById } from '../../src/resources/index.ts';

const CLIENT = 'kubernetes.io/kube-apiserver-client';
const signers = (verb: string, name: string) => ({
  verbs: [verb],
  apiGroups: ['certificates.k8s.io'],
  resources: ['signers'],
  resourceNames: [name],
});
const authorizer = new Authorizer(
  [
    { namespace: '', name: 'one', rules: [signers('approve', CLIENT)] },
    {
      namespace: '',
      name: 'domain',
      rules: [signers('approve', 'kubernetes.io/*'), signers('sign', 'kubernetes.io/*')],
    },
  ],
  ['one', 'domain'].map((name) => ({
    namespace: '',
    name,
    roleRef: { kind: 'ClusterRole', name },
    subjects: [{ kind: 'User', name }],
  })),
);

async function judge(
  plugin: AdmissionPlugin,
  subresource: string,
  user: string,
  object: Omit<CertificateSigningRequest, 'metadata'>,
  old?: Omit<CertificateSigningRequest, 'metadata'>,
): Promise<string> {
  const attributes = {
    context: { user: { name: user, uid: '', groups: [], extra: {} }, snapshot: { authorizer } },
    resource: resourceById('certificates.k8s.io/certificatesigningrequests'),
    operation: old === undefined ? 'CREATE' : 'UPDATE',
    subresource,
    object: { metadata: { name: 'r' }, ...object },
    old: { metadata: { name: 'r' }, ...old },
  } as unknown as Attributes;
  if (!plugin.handles(attributes)) return 'not asked';
  try {
    await plugin.validate?.(attributes);
    return 'allowed';
  } catch (error) {
    if (error instanceof StatusError) return error.message.replace(/^.* is forbidden: /, '');
    throw error;
  }
}

const request = (signerName: string, status: CertificateSigningRequest['status'] = {}) => ({
  spec: { signerName },
  status,
});
const APPROVED = { conditions: [{ type: 'Approved', status: 'True' }] };

describe('a decision', () => {
  it.each([
    ['one', CLIENT, 'allowed'],
    ['domain', CLIENT, 'allowed'],
    [
      'one',
      'kubernetes.io/kubelet-serving',
      'user not permitted to approve requests with signerName "kubernetes.io/kubelet-serving"',
    ],
    ['domain', 'example.com/own', 'user not permitted to approve requests with signerName "example.com/own"'],
    ['nobody', CLIENT, `user not permitted to approve requests with signerName "${CLIENT}"`],
  ])('of %s about %s', async (user, signer, said) => {
    expect(await judge(certificateApproval, 'approval', user, request(signer, APPROVED), request(signer))).toBe(said);
    expect(await judge(certificateApproval, 'status', user, request(signer, APPROVED), request(signer))).toBe(
      'not asked',
    );
  });

  it('of the old request counts, whatever the new one says', async () => {
    const said = await judge(certificateApproval, 'approval', 'one', request(CLIENT), request('example.com/own'));
    expect(said).toMatch(/^user not permitted/);
  });
});

describe('a certificate', () => {
  it.each([
    ['domain', { certificate: 'new' }, 'allowed'],
    ['one', { certificate: 'new' }, `user not permitted to sign requests with signerName "${CLIENT}"`],
    [
      'one',
      { conditions: [{ type: 'Failed', status: 'True' }] },
      `user not permitted to sign requests with signerName "${CLIENT}"`,
    ],
    ['one', {}, 'allowed'],
  ])('of %s: %j', async (user, status, said) => {
    expect(await judge(certificateSigning, 'status', user, request(CLIENT, status), request(CLIENT))).toBe(said);
  });
});

describe('a subject', () => {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const pem = async (name: string): Promise<string> => {
    const keys = await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify']);
    const made = await x509.Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm: algorithm });
    return btoa(made.toString('pem'));
  };
  it.each([
    ['CN=alice, O=dev', CLIENT, 'allowed'],
    ['CN=alice, O=dev, O=system:masters', CLIENT, `use of ${CLIENT} signer with system:masters group is not allowed`],
    ['CN=alice, O=system:masters', 'example.com/own', 'allowed'],
  ])('%s for %s', async (name, signerName, said) => {
    const spec = { signerName, request: await pem(name) };
    expect(await judge(certificateSubjectRestriction, '', 'anybody', { spec })).toBe(said);
  });

  it('that cannot be read is refused', async () => {
    const spec = {
      signerName: CLIENT,
      request: btoa('-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----'),
    };
    expect(await judge(certificateSubjectRestriction, '', 'anybody', { spec })).toBe('failed to parse CSR');
  });
});
