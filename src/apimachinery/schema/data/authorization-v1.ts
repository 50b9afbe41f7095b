/** Messages of `authorization.v1`: see `../parse.ts` for how they are written. */
export const authorizationV1 = `
ExtraValue items=1:[]s
FieldSelectorAttributes rawSelector=1:s requirements=2:[]meta.v1.FieldSelectorRequirement|a
LabelSelectorAttributes rawSelector=1:s requirements=2:[]meta.v1.LabelSelectorRequirement|a
^LocalSubjectAccessReview metadata=1:meta.v1.ObjectMeta|v spec*=2:SubjectAccessReviewSpec|v status=3:SubjectAccessReviewStatus|v
NonResourceAttributes path=1:s verb=2:s
NonResourceRule verbs*=1:[]s|a nonResourceURLs=2:[]s|a
ResourceAttributes namespace=1:s verb=2:s group=3:s version=4:s resource=5:s subresource=6:s name=7:s fieldSelector=8:FieldSelectorAttributes labelSelector=9:LabelSelectorAttributes
ResourceRule verbs*=1:[]s|a apiGroups=2:[]s|a resources=3:[]s|a resourceNames=4:[]s|a
^SelfSubjectAccessReview metadata=1:meta.v1.ObjectMeta|v spec*=2:SelfSubjectAccessReviewSpec|v status=3:SubjectAccessReviewStatus|v
SelfSubjectAccessReviewSpec resourceAttributes=1:ResourceAttributes nonResourceAttributes=2:NonResourceAttributes
^SelfSubjectRulesReview metadata=1:meta.v1.ObjectMeta|v spec*=2:SelfSubjectRulesReviewSpec|v status=3:SubjectRulesReviewStatus|v
SelfSubjectRulesReviewSpec namespace=1:s
^SubjectAccessReview metadata=1:meta.v1.ObjectMeta|v spec*=2:SubjectAccessReviewSpec|v status=3:SubjectAccessReviewStatus|v
SubjectAccessReviewSpec resourceAttributes=1:ResourceAttributes nonResourceAttributes=2:NonResourceAttributes user=3:s groups=4:[]s|a extra=5:{}ExtraValue uid=6:s
SubjectAccessReviewStatus allowed*=1:b denied=4:b reason=2:s evaluationError=3:s
SubjectRulesReviewStatus resourceRules*=1:[]ResourceRule|a nonResourceRules*=2:[]NonResourceRule|a incomplete*=3:b evaluationError=4:s
`;
