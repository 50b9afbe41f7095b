/** Messages of `admissionregistration.v1`: see `../parse.ts` for how they are written. */
export const admissionregistrationV1 = `
ApplyConfiguration expression=1:s
AuditAnnotation key*=1:s valueExpression*=2:s
ExpressionWarning fieldRef*=2:s warning*=3:s
JSONPatch expression=1:s
MatchCondition name*=1:s expression*=2:s
MatchResources|A namespaceSelector=1:meta.v1.LabelSelector objectSelector=2:meta.v1.LabelSelector resourceRules=3:[]NamedRuleWithOperations|a excludeResourceRules=4:[]NamedRuleWithOperations|a matchPolicy=7:s
^MutatingAdmissionPolicy metadata=1:meta.v1.ObjectMeta|v spec=2:MutatingAdmissionPolicySpec|v
^MutatingAdmissionPolicyBinding metadata=1:meta.v1.ObjectMeta|v spec=2:MutatingAdmissionPolicyBindingSpec|v
^MutatingAdmissionPolicyBindingList metadata=1:meta.v1.ListMeta|v items*=2:[]MutatingAdmissionPolicyBinding
MutatingAdmissionPolicyBindingSpec policyName=1:s paramRef=2:ParamRef matchResources=3:MatchResources
^MutatingAdmissionPolicyList metadata=1:meta.v1.ListMeta|v items*=2:[]MutatingAdmissionPolicy
MutatingAdmissionPolicySpec paramKind=1:ParamKind matchConstraints=2:MatchResources variables=3:[]Variable|a mutations=4:[]Mutation|a failurePolicy=5:s matchConditions=6:[]MatchCondition|m:name|p:merge:name reinvocationPolicy=7:s
MutatingWebhook name*=1:s clientConfig*=2:WebhookClientConfig|v rules=3:[]RuleWithOperations|a failurePolicy=4:s matchPolicy=9:s namespaceSelector=5:meta.v1.LabelSelector objectSelector=11:meta.v1.LabelSelector sideEffects*=6:s timeoutSeconds=7:i admissionReviewVersions*=8:[]s|a reinvocationPolicy=10:s matchConditions=12:[]MatchCondition|m:name|p:merge:name
^MutatingWebhookConfiguration metadata=1:meta.v1.ObjectMeta|v webhooks=2:[]MutatingWebhook|m:name|p:merge:name
^MutatingWebhookConfigurationList metadata=1:meta.v1.ListMeta|v items*=2:[]MutatingWebhookConfiguration
Mutation patchType*=2:s applyConfiguration=3:ApplyConfiguration jsonPatch=4:JSONPatch
NamedRuleWithOperations|A resourceNames=1:[]s|a ruleWithOperations=2:&RuleWithOperations
ParamKind|A apiVersion=1:s kind=2:s
ParamRef|A name=1:s namespace=2:s selector=3:meta.v1.LabelSelector parameterNotFoundAction=4:s
Rule apiGroups=1:[]s|a apiVersions=2:[]s|a resources=3:[]s|a scope=4:s
RuleWithOperations operations=1:[]s|a rule=2:&Rule
ServiceReference namespace*=1:s name*=2:s path=3:s port=4:i
TypeChecking expressionWarnings=1:[]ExpressionWarning|a
^ValidatingAdmissionPolicy metadata=1:meta.v1.ObjectMeta|v spec=2:ValidatingAdmissionPolicySpec|v status=3:ValidatingAdmissionPolicyStatus|v
^ValidatingAdmissionPolicyBinding metadata=1:meta.v1.ObjectMeta|v spec*=2:ValidatingAdmissionPolicyBindingSpec|v
^ValidatingAdmissionPolicyBindingList metadata=1:meta.v1.ListMeta|v items*=2:[]ValidatingAdmissionPolicyBinding
ValidatingAdmissionPolicyBindingSpec policyName*=1:s paramRef=2:ParamRef matchResources=3:MatchResources validationActions*=4:[]s|s
^ValidatingAdmissionPolicyList metadata=1:meta.v1.ListMeta|v items*=2:[]ValidatingAdmissionPolicy
ValidatingAdmissionPolicySpec paramKind=1:ParamKind matchConstraints=2:MatchResources validations=3:[]Validation|a failurePolicy=4:s auditAnnotations=5:[]AuditAnnotation|a matchConditions=6:[]MatchCondition|m:name|p:merge:name variables=7:[]Variable|m:name|p:merge:name
ValidatingAdmissionPolicyStatus observedGeneration=1:l typeChecking=2:TypeChecking conditions=3:[]meta.v1.Condition|m:type
ValidatingWebhook name*=1:s clientConfig*=2:WebhookClientConfig|v rules=3:[]RuleWithOperations|a failurePolicy=4:s matchPolicy=9:s namespaceSelector=5:meta.v1.LabelSelector objectSelector=10:meta.v1.LabelSelector sideEffects*=6:s timeoutSeconds=7:i admissionReviewVersions*=8:[]s|a matchConditions=11:[]MatchCondition|m:name|p:merge:name
^ValidatingWebhookConfiguration metadata=1:meta.v1.ObjectMeta|v webhooks=2:[]ValidatingWebhook|m:name|p:merge:name
^ValidatingWebhookConfigurationList metadata=1:meta.v1.ListMeta|v items*=2:[]ValidatingWebhookConfiguration
Validation expression*=1:s message=2:s reason=3:s messageExpression=4:s
Variable|A name*=1:s expression*=2:s
WebhookClientConfig url=3:s service=1:ServiceReference caBundle=2:y
`;
