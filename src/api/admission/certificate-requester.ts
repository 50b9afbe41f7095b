/** Who asks for a certificate stands in the request; upstream's registry writes it there. */
import type { CertificateSigningRequest } from '../../generated/types/certificates.v1.ts';
import type { AdmissionPlugin } from './plugin.ts';

export const certificateRequester: AdmissionPlugin = {
  name: 'CertificateRequester',
  handles: ({ resource, operation }) => operation === 'CREATE' && resource.resource === 'certificatesigningrequests',
  admit({ context, object }) {
    const request = object as CertificateSigningRequest;
    const { name, uid, groups, extra } = context.user;
    const { extra: _, ...spec } = request.spec ?? {};
    const own = Object.keys(extra).length > 0 ? { extra } : {};
    request.spec = { ...spec, username: name, uid, groups: [...groups], ...own } as typeof request.spec;
  },
};
