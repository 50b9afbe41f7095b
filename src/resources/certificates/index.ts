import { pathSegmentName } from '../../apimachinery/validation/object-names.ts';
import type { CertificateSigningRequest } from '../../generated/types/certificates.v1.ts';
import { changeSubresource, groupVersion, statusSubresource } from '../group.ts';
import type { Resource } from '../resource.ts';
import { keep } from '../strategies.ts';
import { approval, status } from './status.ts';
import { validateRequest } from './validation.ts';

const certificates = groupVersion('certificates.k8s.io', 'v1');

type Request = CertificateSigningRequest;

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
