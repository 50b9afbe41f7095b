/**
 * CertificateApproval, CertificateSigning and CertificateSubjectRestriction: who decides on a request and who signs it must be allowed to
 * for its signer, and no certificate makes an administrator of the cluster.
 */
import { deepEqual } from '../../apimachinery/equal.ts';
import { forbidden } from '../../apimachinery/errors.ts';
import type { CertificateSigningRequest } from '../../generated/types/certificates.v1.ts';
import { MASTERS } from '../authentication/user.ts';
import { organizationsOf } from '../certificates/request.ts';
import type { AdmissionPlugin, Attributes, Operation } from './plugin.ts';

const GROUP = 'certificates.k8s.io';
const API_CLIENT = 'kubernetes.io/kube-apiserver-client';

const isRequest = ({ resource }: Operation): boolean =>
  resource.group === GROUP && resource.resource === 'certificatesigningrequests';

/** Whether the user has the verb for the signer, or for all signers of its domain (`IsAuthorizedForSignerName`). */
async function may({ context }: Attributes, verb: string, signer: string): Promise<boolean> {
  const { snapshot, user } = context;
  // Controllers are part of the cluster.
  if (snapshot === undefined) return true;
  const base = { verb, isResource: true, group: GROUP, resource: 'signers', subresource: '', namespace: '', path: '' };
  const all = `${signer.slice(0, signer.indexOf('/'))}/*`;
  for (const name of [signer, all]) {
    if ((await snapshot.authorizer.authorize(user, { ...base, name })).allowed) return true;
  }
  return false;
}

async function require(attributes: Attributes, verb: 'approve' | 'sign'): Promise<void> {
  const { spec } = attributes.old as CertificateSigningRequest;
  const signer = spec?.signerName ?? '';
  if (await may(attributes, verb, signer)) return;
  const why = `user not permitted to ${verb} requests with signerName ${JSON.stringify(signer)}`;
  throw forbidden(attributes.resource, attributes.object.metadata.name, why);
}

export const certificateApproval: AdmissionPlugin = {
  name: 'CertificateApproval',
  handles: (operation) =>
    operation.subresource === 'approval' && operation.operation === 'UPDATE' && isRequest(operation),
  validate: (attributes) => require(attributes, 'approve'),
};

export const certificateSigning: AdmissionPlugin = {
  name: 'CertificateSigning',
  handles: (operation) =>
    operation.subresource === 'status' && operation.operation === 'UPDATE' && isRequest(operation),
  validate(attributes) {
    const { status } = attributes.object as CertificateSigningRequest;
    const { status: old } = attributes.old as CertificateSigningRequest;
    const same = (status?.certificate ?? '') === (old?.certificate ?? '');
    if (same && deepEqual(status?.conditions ?? [], old?.conditions ?? [])) return;
    return require(attributes, 'sign');
  },
};

export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  handles: (operation) => operation.subresource === '' && operation.operation === 'CREATE' && isRequest(operation),
  validate({ resource, object }) {
    const { spec, metadata } = object as CertificateSigningRequest;
    if (spec?.signerName !== API_CLIENT) return;
    const organizations = organizationsOf(spec.request ?? '');
    if (organizations === undefined) throw forbidden(resource, metadata.name, 'failed to parse CSR');
    if (!organizations.includes(MASTERS)) return;
    throw forbidden(resource, metadata.name, `use of ${API_CLIENT} signer with ${MASTERS} group is not allowed`);
  },
};
