import { type FieldError, invalid, required } from '../../apimachinery/field.ts';
import type { CertificateSigningRequest } from '../../generated/types/certificates.v1.ts';
import { changeSubresource, groupVersion, statusSubresource } from '../group.ts';
import type { Resource, SubresourceStrategy } from '../resource.ts';
import { keep } from '../strategies.ts';

const certificates = groupVersion('certificates.k8s.io', 'v1');

type Request = CertificateSigningRequest;
const isDecision = (type: string | undefined): boolean => type === 'Approved' || type === 'Denied';

/** `approval` changes only which of the conditions Approved and Denied there are. */
const approval: SubresourceStrategy<Request> = {
  prepareForUpdate(request, old) {
    const conditions = request.status?.conditions;
    keep(request, old, 'spec');
    request.status = { ...old.status };
    if (conditions !== undefined) request.status.conditions = conditions;
    else delete request.status.conditions;
  },
};

/** `status` changes the certificate and conditions other than decisions. */
const status: SubresourceStrategy<Request> = {
  prepareForUpdate(request, old) {
    keep(request, old, 'spec');
    const decided = (old.status?.conditions ?? []).filter(({ type }) => isDecision(type));
    const others = (request.status?.conditions ?? []).filter(({ type }) => !isDecision(type));
    if (decided.length + others.length > 0) request.status = { ...request.status, conditions: [...decided, ...others] };
  },
};

function validate({ spec }: Request): FieldError[] {
  const errors: FieldError[] = [];
  const signer = spec?.signerName ?? '';
  let pem = '';
  try {
    pem = atob(spec?.request ?? '');
  } catch {
    // Not base64, so not PEM either.
  }
  if (!pem.includes('-----BEGIN CERTIFICATE REQUEST-----')) {
    errors.push(invalid('spec.request', spec?.request ?? null, 'PEM block type must be CERTIFICATE REQUEST'));
  }
  if (!spec?.usages?.length) errors.push(required('spec.usages'));
  if (signer === '') errors.push(required('spec.signerName'));
  else if (!/^[^/]+\/.+$/.test(signer)) {
    const detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    errors.push(invalid('spec.signerName', signer, detail));
  }
  if (spec?.expirationSeconds !== undefined && spec.expirationSeconds < 600) {
    const detail = 'may not specify a duration less than 600 seconds (10 minutes)';
    errors.push(invalid('spec.expirationSeconds', spec.expirationSeconds, detail));
  }
  return errors;
}

/** The resources of the group `certificates.k8s.io`. Who asks is written into the request by the registry. */
export const certificatesResources: readonly Resource[] = [
  certificates<Request>({
    resource: 'certificatesigningrequests',
    kind: 'CertificateSigningRequest',
    namespaced: false,
    shortNames: ['csr'],
    subresources: [
      changeSubresource('approval', 'CertificateSigningRequest', approval),
      statusSubresource('CertificateSigningRequest', status),
    ],
    strategy: {
      generation: false,
      prepareForCreate(request) {
        request.status = {};
      },
      prepareForUpdate(request, old) {
        keep(request, old, 'spec', 'status');
      },
      validate,
    },
    selectableFields: ({ spec }) => ({ 'spec.signerName': spec?.signerName ?? '' }),
  }),
];
