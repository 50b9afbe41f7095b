/** Who asks for a certificate stands in the request; upstream's registry writes it there. */
import type { CertificateSigningRequest } from '../../generated/types/certificates.v1.ts';
import type { AdmissionPlugin } from './plugin.ts';

export const certificateRequester: AdmissionPlugin = {
  name: 'CertificateRequester',
  handles: ({ resource, operation }) => operation === 'CREATE' && resource.resource === 'certificatesigningrequests',
  admit({ context, object }) {
    const request = object as CertificateSigningRequest;
    const { name, uid, groups, extra } = context.user;
    request.spec = { ...request.spec, username: name, uid, groups: [...groups] } as typeof request.spec;
    if (Object.keys(extra).length > 0) request.spec = { ...request.spec, extra } as typeof request.spec;
  },
};
