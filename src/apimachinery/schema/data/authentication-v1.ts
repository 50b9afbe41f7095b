/** Messages of `authentication.v1`: see `../parse.ts` for how they are written. */
export const authenticationV1 = `
BoundObjectReference kind=1:s apiVersion=2:s name=3:s uid=4:s
ExtraValue items=1:[]s
^SelfSubjectReview metadata=1:meta.v1.ObjectMeta|v status=2:SelfSubjectReviewStatus|v
SelfSubjectReviewStatus userInfo=1:UserInfo|v
^TokenRequest metadata=1:meta.v1.ObjectMeta|v spec=2:TokenRequestSpec|v status=3:TokenRequestStatus|v
TokenRequestSpec audiences=1:[]s|a expirationSeconds=4:l boundObjectRef=3:BoundObjectReference
TokenRequestStatus token=1:s|d: expirationTimestamp=2:meta.v1.Time
^TokenReview metadata=1:meta.v1.ObjectMeta|v spec*=2:TokenReviewSpec|v status=3:TokenReviewStatus|v
TokenReviewSpec token*=1:s audiences=2:[]s|a
TokenReviewStatus authenticated=1:b user=2:UserInfo|v audiences=4:[]s|a error=3:s
UserInfo username=1:s uid=2:s groups=3:[]s|a extra=4:{}ExtraValue
`;
