import type { CertificateSigningRequest } from '../../generated/types/certificates.v1.ts';
import { changeSubresource, groupVersion, statusSubresource } from '../group.ts';
import type { Resource, SubresourceStrategy } from '../resource.ts';
import { keep } from '../strategies.ts';
import { pathSegmentName } from '../validation/object-names.ts';
import { validateRequest } from './validation.ts';

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
      nameErrors: pathSegmentName,
      prepareForCreate(request) {
        request.status = {};
      },
      prepareForUpdate(request, old) {
        keep(request, old, 'spec', 'status');
      },
      validate: validateRequest,
      // What was asked for is kept, so there is nothing to check.
      validateUpdate: () => [],
    },
    selectableFields: ({ spec }) => ({ 'spec.signerName': spec?.signerName ?? '' }),
  }),
];
