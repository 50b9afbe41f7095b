/** Messages of `certificates.v1`: see `../parse.ts` for how they are written. */
export const certificatesV1 = `
^CertificateSigningRequest metadata=1:meta.v1.ObjectMeta|v spec*=2:CertificateSigningRequestSpec|v status=3:CertificateSigningRequestStatus|v
CertificateSigningRequestCondition type*=1:s status*=6:s reason=2:s message=3:s lastUpdateTime=4:meta.v1.Time|v lastTransitionTime=5:meta.v1.Time|v
^CertificateSigningRequestList metadata=1:meta.v1.ListMeta|v items*=2:[]CertificateSigningRequest
CertificateSigningRequestSpec request*=1:y signerName*=7:s expirationSeconds=8:i usages=5:[]s|a username=2:s uid=3:s groups=4:[]s|a extra=6:{}ExtraValue
CertificateSigningRequestStatus conditions=1:[]CertificateSigningRequestCondition|m:type certificate=2:y
ExtraValue items=1:[]s
`;
